/** A kind of text that differs between two runs of the same commands. */
interface Kind {
  readonly name: string
  readonly pattern: RegExp
  /** What makes two such texts the same thing; absent: they are not told apart. */
  readonly identity?: (found: string) => string
}

const KINDS: readonly Kind[] = [
  // The zero time says that something has not happened.
  {
    name: 'time',
    pattern:
      /(?!0001-)\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?( [A-Z]{3})?/g,
  },
  { name: 'time', pattern: /\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\b/g },
  { name: 'daemon', pattern: /\b([A-Z2-7]{4}:){11}[A-Z2-7]{4}\b/g },
  {
    name: 'daemon',
    pattern: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g,
  },
  {
    name: 'id',
    pattern: /\b(?:[0-9a-f]{64}|[0-9a-f]{12}|[0-9a-f]{14}(?=…))(?![0-9a-z])/g,
    identity: (found) => found.slice(0, 12),
  },
  {
    name: 'ip',
    pattern: /\b(?:172\.(?:1[6-9]|2\d|3[01])|192\.168)(?:\.\d{1,3}){2}\b/g,
    identity: (found) => found,
  },
  { name: 'mac', pattern: /\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/g, identity: (found) => found },
  { name: 'port', pattern: /(?<=[:"])(?:3[2-9]|[45]\d|6[0-5])\d{3}(?=->|"|$)/g },
  {
    name: 'duration',
    pattern:
      /\b(?:Less than a second|About an? (?:minute|hour)|\d+ (?:second|minute|hour|day|week|month|year)s?)\b/g,
  },
  // An empty folder takes nothing in memory, and a block on a disk.
  { name: 'size', pattern: /\b(?:0B|4\.1kB)(?= \(virtual )/g },
  // Bytes are exact; what is larger is rounded.
  { name: 'size', pattern: /\b\d+(?:\.\d+)?\s?[kMGT]i?B\b/g },
  { name: 'percent', pattern: /\b\d+\.\d+%/g },
]

/** What a terminal does with the text, rather than the text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const ESCAPES = /\u001b\[[0-9;?]*[a-zA-Z]|\r/g

/**
 * Writes what differs between two runs as placeholders. Those of things that are told apart have the number of the step
 * that showed it first, and its number among those: one that is missing changes no other step.
 */
export class Placeholders {
  readonly #folders: readonly (readonly [path: string, name: string])[]
  readonly #known = new Map<string, string>()
  #step = 0
  #fresh = 0

  /** @param folders by their paths, those in others first */
  constructor(folders: Readonly<Record<string, string>>) {
    this.#folders = Object.entries(folders)
  }

  /** What comes now is of the next step. */
  next(): void {
    this.#step++
    this.#fresh = 0
  }

  put(text: string): string {
    let result = text.replaceAll(ESCAPES, '')
    for (const [path, name] of this.#folders) result = replaceFolder(result, path, name)
    for (const { name, pattern, identity } of KINDS) {
      result = result.replaceAll(pattern, (found) =>
        identity === undefined ? `<${name}>` : this.#placeholder(name, identity(found)),
      )
    }
    // Columns are as wide as what was in them, and lines under headings.
    return result.replaceAll(/ {3,}/g, '   ').replaceAll(/ +$/gm, '')
  }

  #placeholder(name: string, identity: string): string {
    const known = this.#known.get(identity)
    if (known !== undefined) return known
    const made = `<${name} ${this.#step}.${++this.#fresh}>`
    this.#known.set(identity, made)
    return made
  }
}

/** Where an engine keeps what in its folder is its own affair. */
function replaceFolder(text: string, path: string, name: string): string {
  return text
    .split(path)
    .map((rest, index) => (index === 0 ? rest : `<${name}>${rest.replace(/^\/[^\s"',:]*/, '/…')}`))
    .join('')
}
