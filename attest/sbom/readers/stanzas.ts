/** Fields of one paragraph, by their names in lower case. */
export type Stanza = ReadonlyMap<string, string>

/** Bytes of a field that is kept: descriptions are longer, and not needed. */
const MOST_FIELD = 4096

/**
 * The paragraphs of a control file: `Name: value` lines, with continuations that begin with a blank.
 * What is neither is left out. Spec: Debian policy 5.1, RFC 5322 section 2.2
 */
export function* stanzasOf(text: string): Generator<Stanza> {
  let fields = new Map<string, string>()
  let last: string | undefined
  for (const line of linesOf(text)) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields
      fields = new Map()
      last = undefined
    } else if (line[0] === ' ' || line[0] === '\t') {
      const value = last === undefined ? undefined : fields.get(last)
      if (last === undefined || value === undefined || value.length > MOST_FIELD) continue
      fields.set(last, `${value}\n${line.trim()}`)
    } else {
      const colon = line.indexOf(':')
      last = colon < 1 ? undefined : line.slice(0, colon).trim().toLowerCase()
      if (last !== undefined) fields.set(last, line.slice(colon + 1, colon + MOST_FIELD).trim())
    }
  }
  if (fields.size > 0) yield fields
}

/** The lines of a text, without making a list of them all. */
export function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    yield text.slice(start, text[end - 1] === '\r' ? Math.max(start, end - 1) : end)
    start = end + 1
  }
}
