/**
 * Runs a regular expression in time that grows with program × text: all ways to match go through the text side by
 * side (Thompson, Pike), in the order in which a backtracking engine would try them.
 */
import { CharacterClass } from "./character-class"
import { Expression, Node } from "./expression"
import { isAsciiWord, isLineEnd } from "./letters"

enum Op {
  Character,
  Any,
  Class,
  LineStart,
  LineEnd,
  Boundary,
  NoBoundary,
  /** Goes on at both, at `first` rather. */
  Split,
  Jump,
  Save,
  Clear,
  Match,
}

class Step {
  characters: CharacterClass | null = null
  constructor(
    public op: Op,
    public first: i32,
    public second: i32,
  ) {}
}

const steps_max = 5000
/** Of all that one call looks at: about a second at the worst, so that the model gets a sentence and not the deadline. */
const work_max = 100000000

export class Program {
  steps: Step[] = []
  too_large: bool = false

  constructor(
    private ignore_case: bool,
    public multiline: bool,
    public dot_all: bool,
  ) {}

  compile(tree: Expression): void {
    this.emit(Op.Save, 0, 0)
    this.add(tree)
    this.emit(Op.Save, 1, 0)
    this.emit(Op.Match, 0, 0)
  }

  fold(code: i32): i32 {
    return this.ignore_case ? foldCase(code) : code
  }

  /** Both cases are looked for, and what is folded is only what stands for a class in a text. */
  holds(characters: CharacterClass, code: i32): bool {
    const found =
      characters.holds(code) ||
      (this.ignore_case && (characters.holds(foldCase(code)) || characters.holds(lowerCase(code))))
    return found != characters.negated
  }

  private add(tree: Expression): void {
    if (this.too_large) return
    switch (tree.node) {
      case Node.Empty:
        return
      case Node.Character:
        this.emit(Op.Character, this.fold(tree.value), 0)
        return
      case Node.Class:
        this.steps[this.emit(Op.Class, 0, 0)].characters = tree.characters
        return
      case Node.Sequence:
        for (let i = 0; i < tree.parts.length; i++) this.add(tree.parts[i])
        return
      case Node.Choice:
        this.choice(tree, 0)
        return
      case Node.Repeat:
        this.repeat(tree)
        return
      case Node.Group:
        if (tree.value > 0) this.emit(Op.Save, tree.value * 2, 0)
        this.add(tree.parts[0])
        if (tree.value > 0) this.emit(Op.Save, tree.value * 2 + 1, 0)
        return
      default:
        this.emit(opOf(tree.node), 0, 0)
    }
  }

  private choice(tree: Expression, index: i32): void {
    if (index == tree.parts.length - 1) {
      this.add(tree.parts[index])
      return
    }
    const split = this.emit(Op.Split, this.steps.length + 1, 0)
    this.add(tree.parts[index])
    const jump = this.emit(Op.Jump, 0, 0)
    this.steps[split].second = this.steps.length
    this.choice(tree, index + 1)
    this.steps[jump].first = this.steps.length
  }

  private repeat(tree: Expression): void {
    for (let i = 0; i < tree.least; i++) this.round(tree.parts[0])
    if (tree.most < 0) {
      const split = this.emit(Op.Split, 0, 0)
      this.round(tree.parts[0])
      this.emit(Op.Jump, split, 0)
      this.join(split, tree.greedy)
      return
    }
    const splits: i32[] = []
    for (let i = tree.least; i < tree.most && !this.too_large; i++) {
      splits.push(this.emit(Op.Split, 0, 0))
      this.round(tree.parts[0])
    }
    for (let i = 0; i < splits.length; i++) this.join(splits[i], tree.greedy)
  }

  /** Goes into what follows the split, or over to here. */
  private join(split: i32, greedy: bool): void {
    this.steps[split].first = greedy ? split + 1 : this.steps.length
    this.steps[split].second = greedy ? this.steps.length : split + 1
  }

  /** A group has what it matched in the last round, and nothing if that did not come by. */
  private round(tree: Expression): void {
    this.clear(tree)
    this.add(tree)
  }

  private clear(tree: Expression): void {
    if (tree.node == Node.Group && tree.value > 0) this.emit(Op.Clear, tree.value * 2, 0)
    if (tree.node == Node.Group && tree.value > 0) this.emit(Op.Clear, tree.value * 2 + 1, 0)
    for (let i = 0; i < tree.parts.length; i++) this.clear(tree.parts[i])
  }

  private emit(op: Op, first: i32, second: i32): i32 {
    if (this.steps.length >= steps_max) this.too_large = true
    else this.steps.push(new Step(op, first, second))
    return this.steps.length - 1
  }
}

function opOf(node: Node): Op {
  switch (node) {
    case Node.Any:
      return Op.Any
    case Node.LineStart:
      return Op.LineStart
    case Node.LineEnd:
      return Op.LineEnd
    case Node.Boundary:
      return Op.Boundary
    default:
      return Op.NoBoundary
  }
}

/** The places in a program where a match may stand, in order, with what each has captured. */
class Places {
  steps: StaticArray<i32>
  count: i32 = 0
  captured: StaticArray<i32>
  /** By step, the round in which it was reached last. */
  private reached: StaticArray<i32>

  constructor(steps: i32, slots: i32) {
    this.steps = new StaticArray(steps)
    this.captured = new StaticArray(steps * slots)
    this.reached = new StaticArray<i32>(steps).fill(-1)
  }

  reaches(step: i32, round: i32): bool {
    if (this.reached[step] == round) return false
    this.reached[step] = round
    return true
  }
}

export class Machine {
  /** The work is used up: what was not found may still be there. */
  tired: bool = false
  private work: i32 = 0
  private now: Places
  private next: Places
  private slots: StaticArray<i32>
  private found: StaticArray<i32>
  private round: i32 = 0

  constructor(
    private program: Program,
    private codes: StaticArray<i32>,
    groups: i32,
  ) {
    this.now = new Places(program.steps.length, groups * 2)
    this.next = new Places(program.steps.length, groups * 2)
    this.slots = new StaticArray(groups * 2)
    this.found = new StaticArray(groups * 2)
  }

  /**
   * The first match from there on: the start and end of each group, -1 where it did not take part. The next call writes
   * over it.
   */
  find(from: i32): StaticArray<i32> | null {
    let is_found = false
    this.now.count = 0
    for (let at = from; at <= this.codes.length; at++) {
      if (!is_found) {
        // Places that were reached by an earlier start come first.
        this.slots.fill(-1)
        this.reach(this.now, 0, at, this.round)
      } else if (this.now.count == 0) return this.found
      if (this.advance(at)) is_found = true
      const now = this.now
      this.now = this.next
      this.next = now
      this.round++
      if (this.work > work_max) {
        this.tired = true
        return null
      }
    }
    this.round++
    return is_found ? this.found : null
  }

  /** Takes one character. Whether something has matched before it; ways that are tried later than that are given up. */
  private advance(at: i32): bool {
    const program = this.program
    const now = this.now
    const width = this.slots.length
    this.next.count = 0
    for (let i = 0; i < now.count; i++) {
      const step = program.steps[now.steps[i]]
      const captured = i * width
      if (step.op == Op.Match) {
        for (let k = 0; k < width; k++) this.found[k] = now.captured[captured + k]
        return true
      }
      if (at >= this.codes.length || !this.takes(step, this.codes[at])) continue
      for (let k = 0; k < width; k++) this.slots[k] = now.captured[captured + k]
      this.reach(this.next, now.steps[i] + 1, at + 1, this.round + 1)
    }
    return false
  }

  private takes(step: Step, code: i32): bool {
    if (step.op == Op.Character) return this.program.fold(code) == step.first
    if (step.op == Op.Any) return this.program.dot_all || !isLineEnd(code)
    return this.program.holds(step.characters!, code)
  }

  /** Follows what takes no character. */
  private reach(places: Places, index: i32, at: i32, round: i32): void {
    this.work++
    if (!places.reaches(index, round)) return
    const step = this.program.steps[index]
    switch (step.op) {
      case Op.Jump:
        this.reach(places, step.first, at, round)
        return
      case Op.Split:
        this.reach(places, step.first, at, round)
        this.reach(places, step.second, at, round)
        return
      case Op.Save:
      case Op.Clear: {
        const before = this.slots[step.first]
        this.slots[step.first] = step.op == Op.Save ? at : -1
        this.reach(places, index + 1, at, round)
        this.slots[step.first] = before
        return
      }
      case Op.LineStart:
      case Op.LineEnd:
      case Op.Boundary:
      case Op.NoBoundary:
        if (this.stands(step.op, at)) this.reach(places, index + 1, at, round)
        return
      default: {
        const captured = places.count * this.slots.length
        for (let k = 0; k < this.slots.length; k++) places.captured[captured + k] = this.slots[k]
        places.steps[places.count++] = index
        this.work += this.slots.length
      }
    }
  }

  private stands(op: Op, at: i32): bool {
    if (op == Op.LineStart) return at == 0 || (this.program.multiline && isLineEnd(this.codes[at - 1]))
    const ends = at == this.codes.length
    if (op == Op.LineEnd) return ends || (this.program.multiline && isLineEnd(this.codes[at]))
    const before = at > 0 && isAsciiWord(this.codes[at - 1])
    const after = !ends && isAsciiWord(this.codes[at])
    return (before != after) == (op == Op.Boundary)
  }
}

/** One character for both cases; those whose other case is several characters stay as they are. */
function foldCase(code: i32): i32 {
  if (code < 128) return code >= 0x61 && code <= 0x7a ? code - 32 : code
  return only(String.fromCodePoint(code).toUpperCase(), code)
}

function lowerCase(code: i32): i32 {
  if (code < 128) return code >= 0x41 && code <= 0x5a ? code + 32 : code
  return only(String.fromCodePoint(code).toLowerCase(), code)
}

function only(text: string, otherwise: i32): i32 {
  const code = text.codePointAt(0)
  return text.length == (code > 0xffff ? 2 : 1) ? code : otherwise
}
