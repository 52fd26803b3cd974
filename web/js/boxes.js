// Draw boxes on the picture a node works on; they are written into its text input "drawn_boxes".
// Without it the same text is typed: left, top, width, height in pixels or percent; semicolons.

import { app } from "../../../scripts/app.js";
import { addStage, address, element, outputOf, quietly } from "./stage.mjs";

const INPUT = "drawn_boxes";
const PICTURE_INPUT = "image";
const WIDGET = "birefnet_boxes";
const LEAST = 1; // percent; smaller ones are slips of the hand
const LOOK_EVERY = 500; // milliseconds between looks at the text and the picture
const COLORS = ["#4da3ff", "#ffb02e", "#3ddc84", "#ff6b9a", "#b98cff", "#ffe14d"];
const CORNERS = ["00", "10", "01", "11"]; // right?, bottom?

const within = (value) => Math.min(100, Math.max(0, value));
const rounded = (value) => Math.round(value * 100) / 100;

/** Text to boxes in percent; null if it is not complete, or in pixels of an unknown picture. */
export function parse(text, width, height) {
  const boxes = [];
  for (const part of text.split(/[;\n]/).filter((part) => part.trim())) {
    const words = part.split(/[\s,]+/).filter(Boolean);
    const numbers = words.map((word, index) => {
      const value = Number(word.replace(/%$/, ""));
      if (word.endsWith("%")) return value;
      return (100 * value) / (index % 2 ? height : width);
    });
    if (numbers.length !== 4 || !numbers.every(Number.isFinite)) return null;
    boxes.push(numbers);
  }
  return boxes;
}

export function format(boxes) {
  return boxes.map((box) => box.map((value) => `${rounded(value)}%`).join(", ")).join("; ");
}

function pictureOf(node) {
  let slot = node.inputs?.findIndex((input) => input.name === PICTURE_INPUT) ?? -1;
  let source = slot >= 0 ? node.getInputNode(slot) : null;
  while (source?.type === "Reroute") source = source.getInputNode(0);
  const own = outputOf(node)?.birefnet_before;
  const entry = (source && outputOf(source)?.images?.[0]) ?? own?.[0];
  if (entry?.filename) return { key: `${entry.filename} ${entry.subfolder} ${entry.type}`, url: () => address(entry) };
  const url = source?.imgs?.[0]?.src;
  return url ? { key: url, url: () => url } : null;
}

function addEditor(node, text) {
  const stage = addStage(node, WIDGET);
  const { root, frame, image } = stage;
  const state = { boxes: [], text: null, key: null, drag: null, chosen: -1, grown: false };
  root.tabIndex = 0;
  Object.assign(root.style, { outline: "none", cursor: "crosshair" });
  frame.style.outline = "1px dashed #8888";
  root.title = text.tooltip ?? "";
  root.setAttribute("aria-label", text.label ?? INPUT);

  function draw() {
    for (const old of frame.querySelectorAll(".birefnet-box")) old.remove();
    state.boxes.forEach(([left, top, width, height], number) => {
      const color = COLORS[number % COLORS.length];
      const box = element("div", {
        position: "absolute",
        boxSizing: "border-box",
        left: `${left}%`,
        top: `${top}%`,
        width: `${width}%`,
        height: `${height}%`,
        border: `2px solid ${color}`,
        background: number === state.chosen ? `${color}33` : "none",
        cursor: "move",
      }, frame);
      box.className = "birefnet-box";
      box.dataset.number = number;
      if (number !== state.chosen) return;
      for (const corner of CORNERS) {
        const handle = element("div", {
          position: "absolute",
          width: "10px",
          height: "10px",
          margin: "-6px",
          background: color,
          left: corner[0] === "1" ? "100%" : "0",
          top: corner[1] === "1" ? "100%" : "0",
          cursor: corner[0] === corner[1] ? "nwse-resize" : "nesw-resize",
        }, box);
        handle.dataset.corner = corner;
      }
      const remove = element("button", {
        position: "absolute",
        right: "2px",
        top: "2px",
        padding: "0 5px",
        border: "0",
        borderRadius: "4px",
        background: "#000a",
        color: "#fff",
        font: "14px sans-serif",
        cursor: "pointer",
      }, box);
      remove.textContent = "×";
      remove.className = "birefnet-remove";
    });
  }

  function write() {
    state.text = format(state.boxes);
    text.value = state.text;
    text.callback?.(state.text);
    app.graph?.setDirtyCanvas(true, true);
    draw();
  }

  function remove(number) {
    state.boxes.splice(number, 1);
    state.chosen = -1;
    write();
  }

  /** Where the pointer is in the picture, in percent. */
  function at(event) {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return [
      within((100 * (event.clientX - left)) / width),
      within((100 * (event.clientY - top)) / height),
    ];
  }

  function start(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    root.focus({ preventScroll: true });
    const target = event.target;
    const hit = target.closest?.(".birefnet-box");
    if (target.closest?.(".birefnet-remove")) return remove(Number(hit.dataset.number));
    root.setPointerCapture(event.pointerId);
    const from = at(event);
    if (hit) {
      state.chosen = Number(hit.dataset.number);
      const [left, top, width, height] = state.boxes[state.chosen];
      const corner = target.dataset.corner;
      const fixed = corner && [
        corner[0] === "1" ? left : left + width,
        corner[1] === "1" ? top : top + height,
      ];
      state.drag = fixed ? { fixed } : { from, moved: [left, top, width, height] };
    } else {
      state.chosen = state.boxes.push([...from, 0, 0]) - 1;
      state.drag = { fixed: from };
    }
    draw();
  }

  function move(event) {
    if (!state.drag) return;
    event.stopPropagation();
    const [x, y] = at(event);
    const { fixed, from, moved } = state.drag;
    if (fixed) {
      const [left, right] = [fixed[0], x].sort((a, b) => a - b);
      const [top, bottom] = [fixed[1], y].sort((a, b) => a - b);
      state.boxes[state.chosen] = [left, top, right - left, bottom - top];
    } else {
      const [left, top, width, height] = moved;
      state.boxes[state.chosen] = [
        Math.min(within(left + x - from[0]), 100 - width),
        Math.min(within(top + y - from[1]), 100 - height),
        width,
        height,
      ];
    }
    draw();
  }

  function end(event) {
    if (!state.drag) return;
    event.stopPropagation();
    state.drag = null;
    const [, , width, height] = state.boxes[state.chosen];
    if (Math.min(width, height) < LEAST) remove(state.chosen);
    else write();
  }

  root.addEventListener("pointerdown", start);
  root.addEventListener("pointermove", move);
  root.addEventListener("pointerup", end);
  root.addEventListener("pointercancel", end);
  root.addEventListener("keydown", (event) => {
    if (state.chosen < 0 || !["Delete", "Backspace"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    remove(state.chosen);
  });
  image.addEventListener("load", () => {
    state.text = null; // pixels mean something else now
    if (state.grown) return;
    state.grown = true;
    stage.grow(image.naturalWidth, image.naturalHeight);
  });

  /** Follow the text and the picture; both change in ways that no hook reports. */
  function look() {
    if (state.drag || !root.isConnected) return;
    const picture = pictureOf(node);
    if (picture && picture.key !== state.key) {
      state.key = picture.key;
      image.src = picture.url();
    }
    const typed = `${text.value ?? ""}`;
    if (typed === state.text) return;
    state.text = typed;
    state.boxes = parse(typed, image.naturalWidth, image.naturalHeight) ?? [];
    state.chosen = -1;
    draw();
  }

  const timer = setInterval(() => quietly(look), LOOK_EVERY);
  const onRemoved = node.onRemoved;
  node.onRemoved = function () {
    clearInterval(timer);
    return onRemoved?.apply(this, arguments);
  };
}

app.registerExtension({
  name: "birefnet.boxes",

  nodeCreated(node) {
    if (!node.constructor?.comfyClass?.startsWith("BiRefNet_")) return;
    const text = node.widgets?.find((widget) => widget.name === INPUT);
    if (text) quietly(() => addEditor(node, text));
  },
});
