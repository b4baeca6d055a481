/** Text that grows by characters and pieces: strings that are put together take memory each time. */
export class TextBuilder {
  private at: usize = heap.alloc(1024)
  private length: usize = 0
  private room: usize = 1024

  addText(text: string): void {
    const bytes = (text.length as usize) << 1
    this.grow(bytes)
    memory.copy(this.at + this.length, changetype<usize>(text), bytes)
    this.length += bytes
  }

  /** A code point. */
  addCode(code: i32): void {
    this.grow(4)
    if (code <= 0xffff) {
      store<u16>(this.at + this.length, code as u16)
      this.length += 2
      return
    }
    store<u16>(this.at + this.length, (0xd800 + ((code - 0x10000) >> 10)) as u16)
    store<u16>(this.at + this.length + 2, (0xdc00 + ((code - 0x10000) & 0x3ff)) as u16)
    this.length += 4
  }

  toString(): string {
    return String.UTF16.decodeUnsafe(this.at, this.length)
  }

  private grow(more: usize): void {
    if (this.length + more <= this.room) return
    this.room = (this.length + more) * 2
    this.at = heap.realloc(this.at, this.room)
  }
}
