import { usageError } from '#core'

/**
 * The fields of one CSV record: `"a,b",c` has two, `""` inside quotes is a quote.
 * Spec: RFC 4180 section 2
 * @throws {TsbuildError} USAGE
 */
export function splitCsv(text: string): readonly string[] {
  const fields: string[] = []
  let rest = text
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest)
    const bare = quoted === null ? /^([^",]*)(,|$)/.exec(rest) : null
    const match = quoted ?? bare
    if (match === null) throw usageError(`invalid quotes in ${text}`, 'write "key=a,b" to quote')
    const [whole, field = '', end] = match
    fields.push(quoted === null ? field : field.replaceAll('""', '"'))
    rest = rest.slice(whole.length)
    if (end === '') return fields
  }
}
