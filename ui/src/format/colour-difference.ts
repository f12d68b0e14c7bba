/** How different colours look, also to those who see fewer of them. */

/** Linear light, each from 0 to 1. */
export type Colour = readonly [red: number, green: number, blue: number];
export type Lab = Readonly<{ l: number; a: number; b: number }>;

export const visions = ["usual", "protanopic", "deuteranopic", "tritanopic"] as const;
export type Vision = (typeof visions)[number];

type Matrix = readonly [Colour, Colour, Colour];

/** Simulation at full severity. @see Machado, Oliveira, Fernandes: A Physiologically-based Model, 2009, table 1. */
const simulations: Readonly<Record<Vision, Matrix>> = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopic: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopic: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopic: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const toLinear = (channel: number): number =>
  channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;

/** Reads `#rrggbb`. */
export function parseColour(text: string): Colour {
  const read = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (read === null) throw new Error(`"${text}" is no colour`);
  const [red = 0, green = 0, blue = 0] = read
    .slice(1)
    .map((part) => toLinear(Number.parseInt(part, 16) / 255));
  return [red, green, blue];
}

const dot = (one: Colour, other: Colour): number => one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
const within = (value: number): number => Math.max(0, Math.min(1, value));

/** A colour as it looks with a kind of vision, in CIELAB (D65). */
export function seenBy(vision: Vision, colour: Colour): Lab {
  const [red, green, blue] = simulations[vision];
  return toLab([within(dot(red, colour)), within(dot(green, colour)), within(dot(blue, colour))]);
}

function toLab(colour: Colour): Lab {
  const bend = (value: number): number =>
    value > 216 / 24389 ? Math.cbrt(value) : (value * (24389 / 27) + 16) / 116;
  const x = bend(dot([0.4124564, 0.3575761, 0.1804375], colour) / 0.95047);
  const y = bend(dot([0.2126729, 0.7151522, 0.072175], colour));
  const z = bend(dot([0.0193339, 0.119192, 0.9503041], colour) / 1.08883);
  return { l: 116 * y - 16, a: 500 * (x - y), b: 200 * (y - z) };
}

const degrees = 180 / Math.PI;
const hue = (b: number, a: number): number => {
  if (a === 0 && b === 0) return 0;
  const angle = Math.atan2(b, a) * degrees;
  return angle < 0 ? angle + 360 : angle;
};
const cosine = (angle: number): number => Math.cos(angle / degrees);

/** CIEDE2000, with all weights one. @see Sharma, Wu, Dalal: The CIEDE2000 Color-Difference Formula, 2005. */
export function difference(one: Lab, other: Lab): number {
  const meanChroma = (Math.hypot(one.a, one.b) + Math.hypot(other.a, other.b)) / 2;
  const g = 0.5 * (1 - Math.sqrt(meanChroma ** 7 / (meanChroma ** 7 + 25 ** 7)));
  const [a1, a2] = [one.a * (1 + g), other.a * (1 + g)];
  const [c1, c2] = [Math.hypot(a1, one.b), Math.hypot(a2, other.b)];
  const [h1, h2] = [hue(one.b, a1), hue(other.b, a2)];
  const isGrey = c1 * c2 === 0;
  const turn = isGrey ? 0 : ((h2 - h1 + 540) % 360) - 180;
  const dl = other.l - one.l;
  const dc = c2 - c1;
  const dh = 2 * Math.sqrt(c1 * c2) * Math.sin(turn / 2 / degrees);
  const l = (one.l + other.l) / 2;
  const c = (c1 + c2) / 2;
  const h = isGrey
    ? h1 + h2
    : Math.abs(h1 - h2) <= 180
      ? (h1 + h2) / 2
      : (h1 + h2 + (h1 + h2 < 360 ? 360 : -360)) / 2;
  const t =
    1 - 0.17 * cosine(h - 30) + 0.24 * cosine(2 * h) + 0.32 * cosine(3 * h + 6) - 0.2 * cosine(4 * h - 63);
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const sc = 1 + 0.045 * c;
  const sh = 1 + 0.015 * c * t;
  const rotation =
    -2 *
    Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)) *
    Math.sin((60 * Math.exp(-(((h - 275) / 25) ** 2))) / degrees);
  return Math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rotation * (dc / sc) * (dh / sh));
}

const luminance = (colour: Colour): number => dot([0.2126, 0.7152, 0.0722], colour);

/** From 1 to 21, as WCAG 2 counts it. */
export function contrast(one: Colour, other: Colour): number {
  const [more = 0, less = 0] = [luminance(one), luminance(other)].sort((first, second) => second - first);
  return (more + 0.05) / (less + 0.05);
}
