// A picture fitted into the free space of a node, in both renderers. Registers nothing.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

const LEAST_HEIGHT = 120; // of the widget, in the graph's units
const FIRST_HEIGHT = 360; // most that the widget asks for when its first picture arrives
const wishes = new WeakMap(); // node -> Map(name of the widget -> height it asks for)

/** The address of a picture that a node's output names. */
export function address({ filename, subfolder = "", type = "temp" }) {
  const query = new URLSearchParams({ filename, subfolder, type });
  return api.apiURL(`/view?${query}${app.getRandParam?.() ?? ""}`);
}

/** What a node last sent to the browser. */
export function outputOf(node) {
  const graph = node.graph;
  const inside = graph && graph !== (app.rootGraph ?? app.graph);
  return app.nodeOutputs?.[inside ? `${graph.id}:${node.id}` : `${node.id}`];
}

/** The node an output belongs to, which may lie in a subgraph; null if it is not there. */
export function nodeOf(key) {
  const root = app.rootGraph ?? app.graph;
  const [id, subgraph] = `${key}`.split(":").reverse();
  const graph = subgraph ? root?.subgraphs?.get(subgraph) : root;
  return graph?.getNodeById(/^\d+$/.test(id) ? Number(id) : id) ?? null;
}

/** Run a hook; a failure must never stop ComfyUI. */
export function quietly(work) {
  try {
    return work();
  } catch (error) {
    console.warn("BiRefNet Studio:", error);
    return undefined;
  }
}

export function element(tag, style = {}, parent = null) {
  const made = document.createElement(tag);
  Object.assign(made.style, style);
  parent?.append(made);
  return made;
}

/**
 * A widget whose `frame` has exactly the place of the picture, whatever the node's size.
 *
 * Returns {root, frame, image, grow(width, height)}; setting image.src shows a picture.
 */
export function addStage(node, name, { proportions = 1.5 } = {}) {
  const root = element("div", {
    position: "relative",
    width: "100%",
    minHeight: `${LEAST_HEIGHT - 20}px`,
    overflow: "hidden",
    userSelect: "none",
    touchAction: "none",
  });
  root.className = `birefnet-stage ${name}`;
  const frame = element("div", { position: "absolute" }, root);
  const image = element("img", { display: "none", width: "100%", height: "100%" }, frame);
  image.draggable = false;
  let ratio = proportions;

  function fit() {
    const { clientWidth: width, clientHeight: height } = root;
    if (!width || !height) return;
    const scale = Math.min(width / ratio, height);
    Object.assign(frame.style, {
      width: `${scale * ratio}px`,
      height: `${scale}px`,
      left: `${(width - scale * ratio) / 2}px`,
      top: `${(height - scale) / 2}px`,
    });
  }

  const observer = new ResizeObserver(fit);
  observer.observe(root);
  image.addEventListener("load", () => {
    if (!image.naturalWidth || !image.naturalHeight) return;
    ratio = image.naturalWidth / image.naturalHeight;
    image.style.display = "block";
    fit();
  });
  image.addEventListener("error", () => {
    image.style.display = "none";
  });
  passToCanvas(root);

  const widget = node.addDOMWidget(name, name, root, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => LEAST_HEIGHT,
    getValue: () => "",
    setValue: () => {},
  });
  widget.serialize = false;
  const onRemoved = node.onRemoved;
  node.onRemoved = function () {
    observer.disconnect();
    return onRemoved?.apply(this, arguments);
  };

  /** Make room for a picture of these proportions; grows the node once, as ComfyUI's previews do. */
  function grow(width, height) {
    const [least, used] = node.computeSize();
    const wide = Math.max(node.size[0], least);
    const wished = wishes.get(node) ?? new Map();
    wished.set(name, Math.min(FIRST_HEIGHT, Math.max(LEAST_HEIGHT, (wide * height) / width)));
    wishes.set(node, wished);
    const more = [...wished.values()].reduce((sum, wish) => sum + wish - LEAST_HEIGHT, 0);
    node.setSize([wide, Math.max(node.size[1], used + more)]);
    app.graph?.setDirtyCanvas(true, true);
  }

  return { root, frame, image, widget, grow };
}

/** Zooming and panning go on above our elements in the classic renderer. */
function passToCanvas(root) {
  root.addEventListener(
    "wheel",
    (event) =>
      quietly(() => {
        if (!root.closest(".dom-widget")) return;
        event.preventDefault();
        event.stopPropagation();
        app.canvas.canvas.dispatchEvent(new WheelEvent("wheel", event));
      }),
    { passive: false }
  );
  const pass = { pointerdown: "processMouseDown", pointermove: "processMouseMove", pointerup: "processMouseUp" };
  for (const [kind, handler] of Object.entries(pass)) {
    root.addEventListener(kind, (event) =>
      quietly(() => {
        const middle = kind === "pointermove" ? event.buttons & 4 : event.button === 1;
        if (middle && root.closest(".dom-widget")) app.canvas[handler]?.(event);
      })
    );
  }
}
