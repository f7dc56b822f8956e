/**
 * The fields of one line of comma-separated values, or what is wrong with it. A field in double
 * quotes may hold commas; a doubled quote in it stands for one. Spec: RFC 4180, as Go reads it
 */
export function parseCsv(line: string): readonly string[] | { readonly mistake: string } {
  if (line === '') return { mistake: 'EOF' }
  const fields: string[] = []
  let offset = 0
  for (;;) {
    if (line[offset] === '"') {
      const quoted = parseQuoted(line, offset + 1)
      if (typeof quoted === 'number') {
        return mistakeAt(line, quoted, 'extraneous or missing " in quoted field')
      }
      fields.push(quoted.value)
      offset = quoted.end
    } else {
      const comma = line.indexOf(',', offset)
      const end = comma < 0 ? line.length : comma
      const field = line.slice(offset, end)
      const quote = field.indexOf('"')
      if (quote >= 0) return mistakeAt(line, offset + quote, 'bare " in non-quoted field')
      fields.push(field)
      offset = end
    }
    if (offset >= line.length) return fields
    offset++
  }
}

/** Go counts bytes, from 1. */
function mistakeAt(line: string, offset: number, problem: string): { readonly mistake: string } {
  const column = Buffer.byteLength(line.slice(0, offset)) + 1
  return { mistake: `parse error on line 1, column ${column}: ${problem}` }
}

/**
 * The quoted field whose text starts at `start`; it must end at a comma or the end of the line. A
 * number is the offset at which it is seen not to.
 */
function parseQuoted(
  line: string,
  start: number,
): { readonly value: string; readonly end: number } | number {
  let value = ''
  let from = start
  for (;;) {
    const quote = line.indexOf('"', from)
    if (quote < 0) return from
    value += line.slice(from, quote)
    const after = line[quote + 1]
    if (after === undefined || after === ',') return { value, end: quote + 1 }
    if (after !== '"') return quote
    value += '"'
    from = quote + 2
  }
}
