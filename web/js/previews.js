// A wipe between the original and the result, on the nodes whose output names both.
// Without it ComfyUI shows the result alone; `nodes/previews.py` sends the pictures.

import { app } from "../../../scripts/app.js";
import { addStage, address, element, nodeOf, quietly } from "./stage.mjs";

const BEFORE = "birefnet_before";
const WIDGET = "birefnet_wipe";
const STEP = 5; // percent, per press of an arrow key
const wipes = new WeakMap();

const isOurs = (node) => node?.constructor?.comfyClass?.startsWith("BiRefNet_");

function addWipe(node) {
  const stage = addStage(node, WIDGET);
  const { root, frame, image } = stage;
  const covering = { position: "absolute", inset: "0", width: "100%", height: "100%" };
  const original = element("img", covering, frame);
  original.draggable = false;
  const line = element("div", {
    position: "absolute",
    top: "0",
    bottom: "0",
    width: "2px",
    marginLeft: "-1px",
    background: "#fff",
    boxShadow: "0 0 3px #000",
    pointerEvents: "none",
  }, frame);
  const pager = element("div", {
    position: "absolute",
    right: "4px",
    bottom: "4px",
    padding: "0 2px",
    borderRadius: "4px",
    background: "#000a",
    color: "#fff",
    font: "12px sans-serif",
  }, root);
  const state = { after: [], before: [], number: 0, grown: false };

  root.tabIndex = 0;
  root.style.outline = "none";
  root.setAttribute("role", "slider");
  root.setAttribute("aria-valuemin", "0");
  root.setAttribute("aria-valuemax", "100");

  function wipeTo(percent) {
    const at = Math.min(100, Math.max(0, percent));
    original.style.clipPath = `inset(0 ${100 - at}% 0 0)`;
    line.style.left = `${at}%`;
    root.setAttribute("aria-valuenow", `${Math.round(at)}`);
  }

  function turnTo(number) {
    const { after, before } = state;
    state.number = (number + after.length) % after.length;
    image.src = after[state.number];
    const first = before[Math.min(state.number, before.length - 1)];
    original.style.display = line.style.display = first ? "block" : "none";
    if (first) original.src = first;
    pager.style.display = after.length > 1 ? "block" : "none";
    count.textContent = `${state.number + 1}/${after.length}`;
    node.imgs = [image]; // what ComfyUI's menu opens, saves and copies
    node.imageIndex = 0;
  }

  const turn = (label, step) => {
    const button = element("button", { padding: "2px 6px", border: "0", background: "none", color: "inherit", cursor: "pointer" }, pager);
    button.textContent = label;
    button.addEventListener("click", () => turnTo(state.number + step));
  };
  turn("◀", -1);
  const count = element("span", {}, pager);
  turn("▶", 1);

  root.addEventListener("pointermove", (event) => {
    const { left, width } = frame.getBoundingClientRect();
    if (width && !pager.contains(event.target)) wipeTo((100 * (event.clientX - left)) / width);
  });
  root.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    wipeTo(Number(root.getAttribute("aria-valuenow")) + step);
  });
  image.addEventListener("load", () => {
    if (state.grown || !image.naturalWidth) return;
    state.grown = true;
    stage.grow(image.naturalWidth, image.naturalHeight);
  });
  wipeTo(50);

  // The node's own previews stay away: Nodes 2.0 asks for the first, the classic canvas calls the
  // second of this one node.
  node.hideOutputImages = true;
  node.onDrawBackground = () => {};

  return {
    show(after, before) {
      Object.assign(state, { after, before });
      root.setAttribute("aria-label", node.title);
      turnTo(Math.min(state.number, after.length - 1));
    },
  };
}

function show(node, output) {
  const after = output?.images?.filter(Boolean) ?? [];
  const before = output?.[BEFORE]?.filter(Boolean) ?? [];
  if (!after.length || (!before.length && !wipes.has(node))) return;
  if (!wipes.has(node)) {
    const shown = node.widgets?.find((widget) => widget.name === "$$canvas-image-preview");
    if (shown) quietly(() => node.removeWidget(shown));
    wipes.set(node, addWipe(node));
  }
  wipes.get(node).show(after.map(address), before.map(address));
}

app.registerExtension({
  name: "birefnet.previews",

  nodeCreated(node) {
    if (!isOurs(node)) return;
    const onExecuted = node.onExecuted;
    node.onExecuted = function (output) {
      onExecuted?.apply(this, arguments);
      quietly(() => show(this, output));
    };
  },

  onNodeOutputsUpdated(outputs) {
    for (const [key, output] of Object.entries(outputs ?? {})) {
      if (!output?.[BEFORE]) continue;
      quietly(() => {
        const node = nodeOf(key);
        if (isOurs(node)) show(node, output);
      });
    }
  },
});
