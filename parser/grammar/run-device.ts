import { parseBoolean } from '#core'
import type { Word } from '../ast/ast.ts'
import { parseCsv } from '../text/csv.ts'
import { didYouMean } from '../text/suggest.ts'
import type { Site } from './site.ts'

const KEYS = ['name', 'required']

/**
 * Checks the value of a `--device=`: `[name=]NAME[,required[=BOOLEAN]]`. There are no CDI devices
 * here, which is a warning for one that a step can do without.
 */
export function checkRunDevice({ raw, range }: Word, site: Site): void {
  const fields = parseCsv(raw)
  if ('mistake' in fields) {
    site.fail(`failed to parse csv devices: ${fields.mistake}`, { range })
    return
  }
  let name = ''
  let isRequired = false
  for (const field of fields) {
    const equals = field.indexOf('=')
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const value = equals < 0 ? undefined : field.slice(equals + 1)
    const isNamed = value !== undefined && key === 'name'
    const problem = isNamed && name !== '' ? `device name already set to ${name}` : undefined
    if (problem === undefined && isNamed) name = value
    else if (key === 'required') {
      const isOn = value === undefined ? true : parseBoolean(value)
      isRequired = isOn ?? false
      if (isOn === undefined) site.fail(`invalid value for ${key}: ${value}`, { range })
    } else if (problem === undefined && name === '') name = field
    else site.fail(problem ?? unexpected(field, key, value), { range })
  }
  if (isRequired) {
    const hint = 'CDI devices are not supported: remove the flag, or required'
    site.fail(`unsupported device: ${name}`, { range, code: 'unsupported', hint })
  } else if (!site.hasFailed) {
    const hint = 'remove the flag'
    site.warn(`device ${name} is not available`, { range, code: 'IgnoredFlag', hint })
  }
}

function unexpected(field: string, key: string, value: string | undefined): string {
  if (value === undefined) return `invalid field '${field}' must be a key=value pair`
  return `unexpected key '${key}' in '${field}'${didYouMean(key, KEYS)}`
}
