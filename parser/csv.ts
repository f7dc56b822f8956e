/**
 * The fields of one line of comma-separated values, or what is wrong with it. A field in double
 * quotes may hold commas; a doubled quote in it stands for one. Spec: RFC 4180, as Go reads it
 */
export function parseCsv(line: string): readonly string[] | { readonly mistake: string } {
  const fields: string[] = []
  let offset = 0
  for (;;) {
    if (line[offset] === '"') {
      const quoted = parseQuoted(line, offset + 1)
      if (quoted === undefined) return { mistake: 'extraneous or missing " in quoted field' }
      fields.push(quoted.value)
      offset = quoted.end
    } else {
      const comma = line.indexOf(',', offset)
      const end = comma < 0 ? line.length : comma
      const field = line.slice(offset, end)
      if (field.includes('"')) return { mistake: 'bare " in non-quoted field' }
      fields.push(field)
      offset = end
    }
    if (offset >= line.length) return fields
    offset++
  }
}

/** The quoted field whose text starts at `start`; it must end at a comma or the end of the line. */
function parseQuoted(
  line: string,
  start: number,
): { readonly value: string; readonly end: number } | undefined {
  let value = ''
  let from = start
  for (;;) {
    const quote = line.indexOf('"', from)
    if (quote < 0) return undefined
    value += line.slice(from, quote)
    const after = line[quote + 1]
    if (after === undefined || after === ',') return { value, end: quote + 1 }
    if (after !== '"') return undefined
    value += '"'
    from = quote + 2
  }
}
