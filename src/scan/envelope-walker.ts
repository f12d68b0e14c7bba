/**
 * Walks a JSON document outside its records: checks it strictly, finds the selected arrays, keeps the envelope.
 *
 * A state machine over single bytes, so that an answer may be cut anywhere. Envelopes are small; records, which are
 * not, never come through here.
 */
import { LeatError } from "../errors/leat-error.ts";
import type { JsonValue } from "../model/json-value.ts";
import type { RecordSelector } from "../model/record-selector.ts";
import { EnvelopeText } from "./envelope-text.ts";
import { hexValues, isSimpleEscape, utf8Length, utf8SecondMax, utf8SecondMin } from "./json-bytes.ts";

/** What the walker waits for. */
type State =
  | "value"
  | "firstElement" // A value or `]`.
  | "firstKey" // A key or `}`.
  | "key"
  | "colon"
  | "afterValue"
  | "string"
  | "escape"
  | "hex"
  | "utf8"
  | "number"
  | "literal"
  | "records" // The scanner reads; it comes back by `recordsEnded` or `singleEnded`.
  | "done";

/** Where in a number, and whether it may end there. */
type NumberState = "minus" | "zero" | "whole" | "point" | "fraction" | "e" | "sign" | "exponent";
const numberMayEnd: ReadonlySet<NumberState> = new Set(["zero", "whole", "fraction", "exponent"]);

type JsonSelector = Extract<RecordSelector, { form: "json" }>;
/** An open container; `matched`: how many steps of the selector lead to it, -1: it is beside the path. */
type Open = { isObject: boolean; matched: number };

/** What stands for a single record that is no JSON. */
const emptyObject = Buffer.from("{}");
/** Deepest nesting of an envelope: what parses it afterwards must not overflow. */
const depthMax = 512;

/** What was reached: bytes ran out, a selected array was opened, or the only record stands at the position. */
export type WalkStop = "more" | "array" | "single";

export class EnvelopeWalker {
  /** Whether the selected place was there at least once. */
  isFound = false;
  /** Throws the error for a syntax error: what is wrong, at which position in the buffer. */
  #refuse: (what: string, at: number) => never;
  #beginning: () => string;
  #selector: JsonSelector;
  #stepKeys: (Buffer | undefined)[];
  #text: EnvelopeText;

  #state: State = "value";
  #stack: Open[] = [];
  #isKey = false;
  #keyText: number[] = [];
  #keyBytesMax: number;
  /** Steps matched by the value that comes next; -1: none. */
  #matched = 0;
  #number: NumberState = "minus";
  #literal = "";
  #counted = 0;
  #secondMin = 0x80;
  #secondMax = 0xbf;

  constructor(
    selector: JsonSelector,
    envelopeBytesMax: number,
    report: { refuse: (what: string, at: number) => never; beginning: () => string },
  ) {
    this.#selector = selector;
    this.#refuse = report.refuse;
    this.#beginning = report.beginning;
    this.#stepKeys = selector.steps.map((step) => (step === "each" ? undefined : Buffer.from(step.key)));
    // Every byte of a key may be written as an escape of six.
    this.#keyBytesMax = 6 * Math.max(0, ...this.#stepKeys.map((key) => key?.length ?? 0));
    this.#text = new EnvelopeText(envelopeBytesMax);
  }

  /** Whether the document has ended, white space apart. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Whether anything but white space has come. */
  get isBegun(): boolean {
    return this.#state !== "value" || this.#stack.length > 0;
  }

  /** Walks from `from`. `stop` tells why it ended; the position returned is the first byte that was not taken. */
  walk(bytes: Uint8Array, from: number, limit: number): number {
    this.stop = "more";
    let at = from;
    while (at < limit && this.stop === "more") at = this.#step(bytes[at]!, at);
    return at;
  }
  stop: WalkStop = "more";

  /** The selected array has been read to behind its `]`. */
  recordsEnded(): void {
    this.#text.append(0x5d);
    this.#valueEnded();
  }

  /** The only record has been read; it stays in the envelope, where what names the next page may be. */
  singleEnded(record: Uint8Array | undefined): void {
    this.#text.appendValue(record ?? emptyObject);
    this.#valueEnded();
  }

  /** The envelope, once the document has ended; `undefined` above the bound. */
  envelope(): JsonValue | undefined {
    return this.#text.parse();
  }

  /** Takes one byte at `at`, or leaves it; returns where to go on. */
  #step(c: number, at: number): number {
    switch (this.#state) {
      case "string":
        return this.#inString(c, at);
      case "escape":
        if (c === 0x75) {
          this.#state = "hex";
          this.#counted = 4;
        } else if (isSimpleEscape[c] === 1) this.#state = "string";
        else this.#refuse("a wrong escape", at);
        return this.#take(c, at);
      case "hex":
        if (hexValues[c] === 255) this.#refuse("a wrong escape", at);
        this.#counted -= 1;
        if (this.#counted === 0) this.#state = "string";
        return this.#take(c, at);
      case "utf8":
        if (c < this.#secondMin || c > this.#secondMax) this.#refuse("bytes that are not UTF-8", at);
        this.#secondMin = 0x80;
        this.#secondMax = 0xbf;
        this.#counted -= 1;
        if (this.#counted === 0) this.#state = "string";
        return this.#take(c, at);
      case "literal":
        if (c !== this.#literal.charCodeAt(this.#counted)) this.#refuse("no JSON value", at);
        this.#counted += 1;
        if (this.#counted === this.#literal.length) this.#valueEnded();
        return this.#take(c, at);
      case "number":
        return this.#inNumber(c, at);
      default:
        if (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) return at + 1;
        return this.#between(c, at);
    }
  }

  /** A byte between tokens, or the first of one. */
  #between(c: number, at: number): number {
    switch (this.#state) {
      case "firstElement":
        if (c === 0x5d) return this.#close(c, at);
        return this.#beginValue(c, at);
      case "value":
        return this.#beginValue(c, at);
      case "firstKey":
        if (c === 0x7d) return this.#close(c, at);
        return this.#beginKey(c, at);
      case "key":
        return this.#beginKey(c, at);
      case "colon":
        if (c !== 0x3a) this.#refuse("no colon after a key", at);
        this.#state = "value";
        return this.#take(c, at);
      case "afterValue": {
        const open = this.#stack.at(-1)!;
        if (c === (open.isObject ? 0x7d : 0x5d)) return this.#close(c, at);
        if (c !== 0x2c) this.#refuse("no comma or closing bracket after a value", at);
        this.#state = open.isObject ? "key" : "value";
        this.#matched = this.#ofElement(open);
        return this.#take(c, at);
      }
      default:
        return this.#refuse("something after the end of the document", at);
    }
  }

  #take(c: number, at: number): number {
    this.#text.append(c);
    if (this.#isKey && this.#keyText.length <= this.#keyBytesMax) this.#keyText.push(c);
    return at + 1;
  }

  #beginKey(c: number, at: number): number {
    if (c !== 0x22) this.#refuse("no key where one must be", at);
    this.#state = "string";
    this.#keyText.length = 0;
    const next = this.#take(c, at);
    this.#isKey = true;
    return next;
  }

  #inString(c: number, at: number): number {
    if (c === 0x22) {
      if (this.#isKey) {
        this.#isKey = false;
        this.#state = "colon";
        this.#matched = this.#ofKey(this.#stack.at(-1)!);
      } else this.#valueEnded();
    } else if (c === 0x5c) this.#state = "escape";
    else if (c < 0x20) this.#refuse("a control character in a string", at);
    else if (c >= 0x80) {
      const length = utf8Length(c);
      if (length === 0) this.#refuse("bytes that are not UTF-8", at);
      this.#state = "utf8";
      this.#counted = length - 1;
      this.#secondMin = utf8SecondMin(c);
      this.#secondMax = utf8SecondMax(c);
    }
    return this.#take(c, at);
  }

  #inNumber(c: number, at: number): number {
    const isDigit = c >= 0x30 && c <= 0x39;
    const next = nextInNumber(this.#number, c, isDigit);
    if (next !== undefined) {
      this.#number = next;
      return this.#take(c, at);
    }
    if (!numberMayEnd.has(this.#number)) this.#refuse("a wrong number", at);
    this.#text.endNumber();
    this.#valueEnded();
    return at;
  }

  /** The first byte of a value: goes in, hands over to the scanner, or refuses what the selector did not expect. */
  #beginValue(c: number, at: number): number {
    const { steps, isSingle } = this.#selector;
    const matched = this.#matched;
    const step = matched < 0 ? undefined : steps[matched];
    if (matched >= 0 && isSingle && c === 0x7b && (step === undefined || matched === steps.length - 1)) {
      if (step === undefined || step === "each") {
        this.isFound = true;
        this.#state = "records";
        this.stop = "single";
        return at;
      }
    }
    if (matched >= 0 && c !== 0x6e) this.#expect(step === "each" ? 0x5b : 0x7b, c, matched, at);
    if (step === "each" && c === 0x5b && matched === steps.length - 1) {
      this.isFound = true;
      this.#state = "records";
      this.stop = "array";
      return this.#take(c, at);
    }
    if (c === 0x7b || c === 0x5b) {
      if (this.#stack.length === depthMax) this.#refuse(`nesting deeper than ${depthMax}`, at);
      const open = { isObject: c === 0x7b, matched };
      this.#stack.push(open);
      this.#state = open.isObject ? "firstKey" : "firstElement";
      this.#matched = this.#ofElement(open);
    } else if (c === 0x22) this.#state = "string";
    else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      this.#state = "number";
      this.#text.beginNumber();
      this.#number = c === 0x2d ? "minus" : c === 0x30 ? "zero" : "whole";
    } else {
      const literal = c === 0x74 ? "true" : c === 0x66 ? "false" : c === 0x6e ? "null" : undefined;
      if (literal === undefined) return this.#refuse("no JSON value", at);
      this.#literal = literal;
      this.#counted = 1;
      this.#state = "literal";
    }
    return this.#take(c, at);
  }

  #close(c: number, at: number): number {
    this.#stack.pop();
    const next = this.#take(c, at);
    this.#valueEnded();
    return next;
  }

  #valueEnded(): void {
    this.#state = this.#stack.length === 0 ? "done" : "afterValue";
  }

  /** Steps matched by the elements of an array; an object's members are matched when their key is known. */
  #ofElement(open: Open): number {
    if (open.isObject || open.matched < 0) return -1;
    return this.#selector.steps[open.matched] === "each" ? open.matched + 1 : -1;
  }

  #ofKey(open: Open): number {
    const wanted = open.matched < 0 ? undefined : this.#stepKeys[open.matched];
    if (wanted === undefined || this.#keyText.length > this.#keyBytesMax) return -1;
    const raw = Buffer.from(this.#keyText);
    const isSame = raw.includes(0x5c)
      ? JSON.parse(`"${raw.toString("utf8")}"`) === wanted.toString("utf8")
      : raw.equals(wanted);
    return isSame ? open.matched + 1 : -1;
  }

  /** @throws SOURCE_SHAPE_CHANGED when the value at a step is of another type than the selector needs. */
  #expect(first: number, c: number, matched: number, at: number): void {
    const { steps, isSingle } = this.#selector;
    if (matched === steps.length && !isSingle) return;
    if (c === first) return;
    const wanted = first === 0x5b ? "an array" : "an object";
    const found = typeByFirst(c);
    if (found === undefined) this.#refuse("no JSON value", at);
    const path = describeSteps(steps.slice(0, matched));
    throw new LeatError("SOURCE_SHAPE_CHANGED", {
      message: `At ${path} the answer has ${found} where the stream's selector expects ${wanted}.`,
      details: { path, found, wanted, beginning: this.#beginning() },
    });
  }
}

function nextInNumber(state: NumberState, c: number, isDigit: boolean): NumberState | undefined {
  const isE = c === 0x65 || c === 0x45;
  switch (state) {
    case "minus":
      return c === 0x30 ? "zero" : isDigit ? "whole" : undefined;
    case "zero":
      return c === 0x2e ? "point" : isE ? "e" : undefined;
    case "whole":
      return isDigit ? "whole" : c === 0x2e ? "point" : isE ? "e" : undefined;
    case "point":
      return isDigit ? "fraction" : undefined;
    case "fraction":
      return isDigit ? "fraction" : isE ? "e" : undefined;
    case "e":
      return isDigit ? "exponent" : c === 0x2b || c === 0x2d ? "sign" : undefined;
    default:
      return isDigit ? "exponent" : undefined;
  }
}

function typeByFirst(c: number): string | undefined {
  if (c === 0x7b) return "an object";
  if (c === 0x5b) return "an array";
  if (c === 0x22) return "a string";
  if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return "a number";
  return c === 0x74 || c === 0x66 ? "a boolean" : undefined;
}

function describeSteps(steps: JsonSelector["steps"]): string {
  if (steps.length === 0) return "the top";
  let path = "";
  for (const step of steps) {
    if (step === "each") path += "[*]";
    else if (/^[^.[\]"]+$/.test(step.key)) path += path === "" ? step.key : `.${step.key}`;
    else path += `[${JSON.stringify(step.key)}]`;
  }
  return path;
}
