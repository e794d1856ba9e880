// A picture as SVG: real lines and real text; no DOM.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text that stays text, between tags and in quotes; what XML cannot hold is left out. */
export const escapeXml = (text) => String(text).replace(NOT_XML, "").replace(/[&<>"']/g, (char) => ESCAPES[char]);

/** {width, height, background, font, clip, shapes} as a whole file. */
export const toSvg = ({ width, height, background, font, clip, shapes }) => {
  const size = `width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}"`;
  const isLabel = ({ kind }) => kind === "text"; // on top of everything
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${escapeXml(font)}">`,
    `<defs><clipPath id="plot"><rect x="${round(clip.left)}" y="${round(clip.top)}" width="${round(clip.width)}" height="${round(clip.height)}"/></clipPath></defs>`,
    `<rect width="100%" height="100%" fill="${escapeXml(background)}"/>`,
    ...shapes.filter((shape) => !shape.inPlot && !isLabel(shape)).map(element),
    `<g clip-path="url(#plot)">`,
    ...shapes.filter((shape) => shape.inPlot).map(element),
    "</g>",
    ...shapes.filter(isLabel).map(element),
    "</svg>",
    "",
  ].join("\n");
};

const element = (shape) => ELEMENTS[shape.kind](shape);

const ELEMENTS = {
  line: ({ points, color, width, dash, alpha }) =>
    `<path d="${path(points)}" fill="none" stroke="${escapeXml(color)}" stroke-width="${round(width)}" stroke-linejoin="round"${dashes(dash)}${opacity(alpha)}/>`,
  area: ({ points, color, alpha }) => `<path d="${path(points)}Z" fill="${escapeXml(color)}"${opacity(alpha)}/>`,
  dot: ({ x, y, r, color, alpha }) =>
    `<circle cx="${round(x)}" cy="${round(y)}" r="${round(r)}" fill="${escapeXml(color)}"${opacity(alpha)}/>`,
  text: ({ x, y, text, color, size, anchor, isBold }) =>
    `<text x="${round(x)}" y="${round(y)}" fill="${escapeXml(color)}" font-size="${size}" text-anchor="${anchor}"${isBold ? ' font-weight="600"' : ""}>${escapeXml(text)}</text>`,
};

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${round(x)} ${round(y)}`).join("");

const dashes = (dash) => (dash?.length ? ` stroke-dasharray="${dash.map(round).join(" ")}"` : "");

const opacity = (alpha) => (alpha === undefined || alpha === 1 ? "" : ` opacity="${round(alpha)}"`);

const round = (number) => Math.round(number * 100) / 100;
