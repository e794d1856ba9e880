// A picture painted on a canvas, sharp enough for a slide.

const MIN_SCALE = 2;

/** The picture as a PNG blob. */
export const toPng = (picture) => {
  const scale = Math.max(MIN_SCALE, devicePixelRatio);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  paint(pen, picture);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large for this browser."))), "image/png");
  });
};

const paint = (pen, { width, height, background, font, clip, shapes }) => {
  pen.fillStyle = background;
  pen.fillRect(0, 0, width, height);
  const isLabel = ({ kind }) => kind === "text"; // on top of everything
  shapes.filter((shape) => !shape.inPlot && !isLabel(shape)).forEach((shape) => draw(pen, shape, font));
  pen.save();
  pen.beginPath();
  pen.rect(clip.left, clip.top, clip.width, clip.height);
  pen.clip();
  shapes.filter((shape) => shape.inPlot).forEach((shape) => draw(pen, shape, font));
  pen.restore();
  shapes.filter(isLabel).forEach((shape) => draw(pen, shape, font));
};

const draw = (pen, shape, font) => {
  pen.globalAlpha = shape.alpha ?? 1;
  PENS[shape.kind](pen, shape, font);
  pen.globalAlpha = 1;
};

const trace = (pen, points) => {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
};

const PENS = {
  line: (pen, { points, color, width, dash }) => {
    trace(pen, points);
    Object.assign(pen, { strokeStyle: color, lineWidth: width, lineJoin: "round" });
    pen.setLineDash(dash ?? []);
    pen.stroke();
    pen.setLineDash([]);
  },
  area: (pen, { points, color }) => {
    trace(pen, points);
    pen.fillStyle = color;
    pen.fill();
  },
  dot: (pen, { x, y, r, color }) => {
    pen.beginPath();
    pen.arc(x, y, r, 0, 2 * Math.PI);
    pen.fillStyle = color;
    pen.fill();
  },
  text: (pen, { x, y, text, color, size, anchor, isBold }, font) => {
    pen.font = `${isBold ? "600 " : ""}${size}px ${font}`;
    pen.textAlign = { start: "left", middle: "center", end: "right" }[anchor];
    pen.fillStyle = color;
    pen.fillText(text, x, y);
  },
};
