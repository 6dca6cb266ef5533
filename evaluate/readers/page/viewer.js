// One image on a canvas: window and level, zoom, pan, invert, and marks. Panes that are linked
// share all but their pixels.

const START = { center: 127.5, width: 255, invert: false, zoom: 1, x: 0, y: 0 };
const CLICK = 4; // CSS pixels within which a press is a click and not a drag

export class Pane {
  constructor(name, image, hooks) {
    this.name = name;
    this.image = image;
    this.hooks = hooks; // changed(pane), clicked(pane, x, y)
    this.view = { ...START };
    this.marks = [];
    this.cross = null;
    this.figure = document.createElement("figure");
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", name);
    const caption = document.createElement("figcaption");
    caption.textContent = hooks.caption;
    this.figure.append(this.canvas, caption);
    this.pixels = new OffscreenCanvas(image.width, image.height);
    const context = this.pixels.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    this.source = context.getImageData(0, 0, image.width, image.height);
    this.gray = isGray(this.source.data);
    this.listen();
  }

  // Called when the figure has its place on the page.
  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    this.draw();
  }

  set(view) {
    this.view = { ...this.view, ...view };
    this.view.width = Math.min(Math.max(this.view.width, 1), 1024);
    this.view.center = Math.min(Math.max(this.view.center, -255), 510);
    this.view.zoom = Math.min(Math.max(this.view.zoom, 0.25), 40);
    this.draw();
  }

  reset() { this.set(START); }

  // Image pixels to canvas pixels: [scale, left, top].
  placing() {
    const { zoom, x, y } = this.view;
    const fit = Math.min(this.canvas.width / this.image.width, this.canvas.height / this.image.height);
    const scale = fit * zoom;
    return [
      scale,
      (this.canvas.width - this.image.width * scale) / 2 + x * this.image.width * scale,
      (this.canvas.height - this.image.height * scale) / 2 + y * this.image.height * scale,
    ];
  }

  draw() {
    this.window();
    const context = this.canvas.getContext("2d");
    const [scale, left, top] = this.placing();
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.pixels, left, top, this.image.width * scale, this.image.height * scale);
    const at = (point) => [left + point.x * this.image.width * scale, top + point.y * this.image.height * scale];
    const ratio = window.devicePixelRatio || 1;
    context.lineWidth = 2 * ratio;
    context.font = `${14 * ratio}px sans-serif`;
    for (const mark of this.marks) {
      const [x, y] = at(mark);
      context.strokeStyle = context.fillStyle = "#e69f00";
      context.beginPath();
      context.arc(x, y, 9 * ratio, 0, 2 * Math.PI);
      context.stroke();
      context.fillText(mark.confidence, x + 12 * ratio, y - 8 * ratio);
    }
    if (this.cross) {
      const [x, y] = at(this.cross);
      context.strokeStyle = "#56b4e9";
      context.lineWidth = ratio;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + 5 * dx * ratio, y + 5 * dy * ratio);
        context.lineTo(x + 18 * dx * ratio, y + 18 * dy * ratio);
      }
      context.stroke();
    }
  }

  // Applies window and inversion to gray pixels, when they have changed; a colored map keeps its
  // colors.
  window() {
    const { center, width, invert } = this.view;
    const key = `${center} ${width} ${invert}`;
    if (!this.gray || key === this.drawn) return;
    this.drawn = key;
    const table = new Uint8ClampedArray(256);
    for (let value = 0; value < 256; value++) {
      const level = ((value - center) / width + 0.5) * 255;
      table[value] = invert ? 255 - level : level;
    }
    const out = new ImageData(this.image.width, this.image.height);
    const { data } = this.source;
    for (let i = 0; i < data.length; i += 4) {
      out.data[i] = out.data[i + 1] = out.data[i + 2] = table[data[i]];
      out.data[i + 3] = 255;
    }
    this.pixels.getContext("2d").putImageData(out, 0, 0);
  }

  listen() {
    let from = null;
    const { canvas } = this;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      const pan = event.button !== 0 || event.shiftKey;
      from = { x: event.clientX, y: event.clientY, view: { ...this.view }, pan, moved: false };
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      const dx = event.clientX - from.x, dy = event.clientY - from.y;
      from.moved ||= Math.hypot(dx, dy) > CLICK;
      if (!from.moved) return;
      if (from.pan) {
        const size = this.placing()[0] / (window.devicePixelRatio || 1);
        this.set({ x: from.view.x + dx / (this.image.width * size),
          y: from.view.y + dy / (this.image.height * size) });
      } else {
        this.set({ width: from.view.width + dx, center: from.view.center - dy / 2 });
      }
      this.hooks.changed(this);
    });
    canvas.addEventListener("pointerup", (event) => {
      const point = this.point(event);
      if (from && !from.moved && !from.pan && point) this.hooks.clicked(this, point);
      from = null;
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, event);
      this.hooks.changed(this);
    }, { passive: false });
  }

  // Zooms about the pointer, or about the middle.
  zoom(factor, event) {
    const { zoom, x, y } = this.view;
    const next = Math.min(Math.max(zoom * factor, 0.25), 40);
    let u = 0, v = 0; // from the middle of the canvas, in image widths at zoom 1
    if (event) {
      const box = this.canvas.getBoundingClientRect();
      const fit = Math.min(box.width / this.image.width, box.height / this.image.height);
      u = (event.clientX - box.left - box.width / 2) / (fit * this.image.width);
      v = (event.clientY - box.top - box.height / 2) / (fit * this.image.height);
    }
    this.set({ zoom: next, x: x + u / next - u / zoom, y: y + v / next - v / zoom });
  }

  // Where in the image an event is, as shares of width and height; null outside.
  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / box.width;
    const [scale, left, top] = this.placing();
    const x = ((event.clientX - box.left) * ratio - left) / (this.image.width * scale);
    const y = ((event.clientY - box.top) * ratio - top) / (this.image.height * scale);
    return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : null;
  }
}

function isGray(data) {
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  }
  return true;
}
