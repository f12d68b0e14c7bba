/**
 * Many processes in one, taking turns as a seed says.
 *
 * A simulated process is an async function whose every look at the world goes through `act`. There it parks, until the
 * interleaving lets it go on; between two such points it runs alone, as JavaScript does. States of a process:
 *
 * - **parked** at an action whose effect has not happened, or has happened and whose answer is on its way;
 * - **paused**: parked, and not chosen for a number of steps, while the world goes on (a machine that sleeps);
 * - **killed**: never chosen again. What it was doing may never happen, happen at that instant, or, if it can change
 *   something, stay in flight and happen later;
 * - **ended**: returned or threw.
 *
 * What is in flight after its caller died or gave up is a **ghost**, chosen like a process.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { isLeatError, type LeatError } from "../../src/errors/leat-error.ts";
import type { SeededRandom } from "../../src/testing/index.ts";

/** How likely faults are, at each action or step. */
export type FaultRates = Readonly<{
  /** An action fails without an effect. */
  refuse: number;
  /** An action takes effect and fails all the same. */
  loseAnswer: number;
  /** An action fails, and its effect happens later. */
  lateEffect: number;
  /** At a step, a process dies. */
  kill: number;
  /** At a step, a process is paused. */
  pause: number;
  /** At a step, time jumps by up to `jumpMs`. */
  jump: number;
}>;

export const noFaults: FaultRates = { refuse: 0, loseAnswer: 0, lateEffect: 0, kill: 0, pause: 0, jump: 0 };

/** An action: what it is called in the trace, and whether it can change what others see. */
export type Action = Readonly<{ label: string; isWrite: boolean; fault: (what: string) => LeatError }>;

/** A process, as its ports see it. */
export interface Process {
  readonly name: string;
  /** Does something to the world, when and if the interleaving lets it. */
  act<T>(action: Action, effect: () => T): Promise<T>;
  /** Waits for the time to pass. */
  sleep(ms: number): Promise<void>;
  readonly isKilled: boolean;
}

type Parked = {
  label: string;
  resume: () => void;
  /** The effect that has not happened yet, of an action that can change something. */
  pendingEffect: (() => void) | undefined;
  wakeAtMs: number;
};

type Member = Process & {
  parked: Set<Parked>;
  isEnded: boolean;
  isKilled: boolean;
  isImmortal: boolean;
  pausedUntilStep: number;
};

/** How long real time may pass between two points of a process: it then waits for something outside of the ports. */
const strandedMs = 5000;

/** Steps of one schedule: far more than any that ends. */
const stepsMax = 20_000;

/** Runs processes in turns. Equal seeds and equal processes give equal traces. */
export class Interleaving {
  readonly #random: SeededRandom;
  #rates: FaultRates;
  readonly #jumpMs: number;
  readonly #paceMs: number;
  readonly #members: Member[] = [];
  #ghosts: { label: string; effect: () => void }[] = [];
  #step = 0;
  /** True time, ms since the epoch. */
  nowMs: number;
  /** What happened, in order. */
  readonly trace: string[] = [];

  constructor(
    random: SeededRandom,
    options: { startMs: number; rates: FaultRates; paceMs: number; jumpMs: number },
  ) {
    this.#random = random;
    this.#rates = options.rates;
    this.nowMs = options.startMs;
    this.#paceMs = options.paceMs;
    this.#jumpMs = options.jumpMs;
  }

  /** Turns all faults off or on again; with none the processes still take turns. */
  setRates(rates: FaultRates): void {
    this.#rates = rates;
  }

  get aliveRunCount(): number {
    return this.#members.filter((member) => !member.isEnded && !member.isKilled && !member.isImmortal).length;
  }

  note(text: string): void {
    this.trace.push(text);
  }

  /**
   * Starts a process.
   *
   * @param body - runs until its first action at once.
   * @param ended - told when it has returned or thrown, not when it was killed.
   */
  async spawn(
    name: string,
    body: (process: Process) => Promise<void>,
    options: { isImmortal?: boolean } = {},
  ): Promise<void> {
    const member: Member = {
      name,
      parked: new Set(),
      isEnded: false,
      isKilled: false,
      isImmortal: options.isImmortal ?? false,
      pausedUntilStep: 0,
      act: (action, effect) => this.#act(member, action, effect),
      sleep: (ms) => this.#park(member, `sleeps ${ms} ms`, undefined, this.nowMs + ms),
    };
    this.#members.push(member);
    this.note(`${name}: starts`);
    const running = body(member).finally(() => {
      member.isEnded = true;
    });
    // A body deals with its own failures; what it lets through ends the schedule.
    running.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    await this.#settle(member);
  }

  #failure: { error: unknown } | undefined;

  /** One step: somebody goes on, dies or is paused. False when nobody is left. */
  async step(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (++this.#step > stepsMax) throw new Error(`the schedule did not end within ${stepsMax} steps`);
    const random = this.#random;
    const alive = this.#members.filter((member) => !member.isEnded && !member.isKilled);
    const awake = alive.filter((member) => member.pausedUntilStep <= this.#step);
    const ready = awake.filter((member) => [...member.parked].some((point) => point.wakeAtMs <= this.nowMs));
    // Time passes by itself while others work; now and then, or when all sleep, it jumps to a sleeper's hour.
    const choices = ready.length === 0 || random.chance(0.03) ? awake : ready;
    if (alive.length === 0 && this.#ghosts.length === 0) return false;
    this.nowMs += random.below(this.#paceMs + 1);
    if (random.chance(this.#rates.jump)) {
      this.nowMs += random.below(this.#jumpMs);
      this.note("time jumps");
    }
    const chosen = random.below(choices.length + this.#ghosts.length);
    const member = choices[chosen];
    if (member === undefined) {
      const ghost = this.#ghosts.splice(chosen - choices.length, 1)[0];
      if (ghost !== undefined) {
        this.note(`late: ${ghost.label}`);
        happen(ghost.effect);
      }
      return true; // Nobody, when all that live are paused.
    }
    if (!member.isImmortal && random.chance(this.#rates.kill)) this.#kill(member);
    else if (!member.isImmortal && random.chance(this.#rates.pause)) {
      member.pausedUntilStep = this.#step + random.between(5, 200);
      this.note(`${member.name}: paused`);
    } else await this.#goOn(member);
    return true;
  }

  /** Steps until all processes have ended or died and nothing is in flight. */
  async runToEnd(): Promise<void> {
    while (await this.step());
  }

  async #goOn(member: Member): Promise<void> {
    const ready = [...member.parked].filter((point) => point.wakeAtMs <= this.nowMs);
    const parked = ready.length === 0 ? [...member.parked] : ready;
    const point = parked[this.#random.below(parked.length)];
    if (point === undefined) throw new Error(`${member.name} is neither parked nor ended`);
    this.nowMs = Math.max(this.nowMs, point.wakeAtMs);
    member.parked.delete(point);
    point.resume();
    await this.#settle(member);
  }

  #kill(member: Member): void {
    member.isKilled = true;
    this.note(`${member.name}: killed`);
    for (const point of member.parked) {
      if (point.pendingEffect === undefined) continue;
      const fate = this.#random.below(3);
      if (fate === 0) {
        this.note(`${member.name}: its last words take effect: ${point.label}`);
        happen(point.pendingEffect);
      } else if (fate === 1) this.#ghosts.push({ label: point.label, effect: point.pendingEffect });
    }
    member.parked.clear();
  }

  async #act<T>(member: Member, action: Action, effect: () => T): Promise<T> {
    const random = this.#random;
    const { label, isWrite, fault } = action;
    await this.#park(member, label, isWrite ? () => void effect() : undefined);
    if (random.chance(this.#rates.refuse)) {
      this.note(`${member.name}: ${label} is refused`);
      throw fault("refused");
    }
    if (isWrite && random.chance(this.#rates.lateEffect)) {
      this.note(`${member.name}: ${label} fails, and is still in flight`);
      this.#ghosts.push({ label, effect: () => void effect() });
      throw fault("timed out");
    }
    const answer = effect();
    this.note(`${member.name}: ${label}${typeof answer === "string" ? ` → ${answer}` : ""}`);
    const isLost = isWrite && random.chance(this.#rates.loseAnswer);
    if (isLost || random.chance(0.3)) await this.#park(member, `${label} answered`, undefined);
    if (isLost) {
      this.note(`${member.name}: the answer to ${label} is lost`);
      throw fault("the answer was lost");
    }
    return answer;
  }

  #park(
    member: Member,
    label: string,
    pendingEffect: (() => void) | undefined,
    wakeAtMs: number = this.nowMs,
  ): Promise<void> {
    return new Promise((resume) => member.parked.add({ label, resume, pendingEffect, wakeAtMs }));
  }

  /** Lets a process run until it parks or ends. */
  async #settle(member: Member): Promise<void> {
    await nextTurn();
    if (member.isEnded || member.parked.size > 0) return;
    const untilMs = performance.now() + strandedMs;
    while (!member.isEnded && member.parked.size === 0) {
      if (performance.now() > untilMs)
        throw new Error(`${member.name} waits for something outside of its ports`);
      await nextTurn();
    }
  }
}

/** An effect that nobody waits for: when the world refuses it, nobody is told. */
function happen(effect: () => void): void {
  try {
    effect();
  } catch (error) {
    if (!isLeatError(error)) throw error;
  }
}
