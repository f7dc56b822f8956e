// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what a terminal understands
const PIECE = /\x1b\[(\??)(\d*)([A-Za-z])|\n|\r|[^\x1b\n\r]+/g

/** The small part of a terminal that a live view needs: text, wrapping, scrolling, a cursor. */
export class VirtualScreen {
  readonly columns: number
  readonly rows: number
  /** Lines that have left the top. */
  readonly scrolledOff: string[] = []
  cursorVisible = true
  #lines: string[] = ['']
  #row = 0
  #column = 0

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
  }

  write(text: string): void {
    for (const [piece, question, number, command] of text.matchAll(PIECE)) {
      if (piece === '\n') this.#newline()
      else if (piece === '\r') this.#column = 0
      else if (command === undefined) this.#print(piece)
      else this.#control(command, { question: question ?? '', number: Number(number || 1) })
    }
  }

  /** What is to be seen, without the empty rows at the end. */
  lines(): readonly string[] {
    const all = this.#lines.map((line) => line.trimEnd())
    const last = all.findLastIndex((line) => line !== '')
    return all.slice(0, last + 1)
  }

  #control(command: string, { question, number }: { question: string; number: number }): void {
    const line = this.#lines[this.#row] ?? ''
    if (question !== '') this.cursorVisible = command === 'h'
    else if (command === 'A') this.#row = Math.max(0, this.#row - number)
    else if (command === 'K') this.#lines[this.#row] = line.slice(0, this.#column)
    else if (command === 'J') {
      this.#lines[this.#row] = line.slice(0, this.#column)
      this.#lines.length = this.#row + 1
    } else if (command !== 'm') throw new Error(`unexpected control sequence ${command}`)
  }

  #print(text: string): void {
    for (const char of text) {
      if (this.#column === this.columns) {
        this.#newline()
        this.#column = 0
      }
      const line = (this.#lines[this.#row] ?? '').padEnd(this.#column)
      this.#lines[this.#row] = line.slice(0, this.#column) + char + line.slice(this.#column + 1)
      this.#column += 1
    }
  }

  #newline(): void {
    this.#row += 1
    this.#column = 0
    if (this.#lines[this.#row] === undefined) this.#lines[this.#row] = ''
    if (this.#row < this.rows) return
    this.scrolledOff.push(this.#lines.shift() ?? '')
    this.#row -= 1
  }
}
