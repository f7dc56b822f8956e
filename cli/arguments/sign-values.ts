import type { SigningKey } from '#builder'
import { splitCsv } from '#buildkit/values'
import { usageError } from '#core'

const FORM = 'write --sign key=FILE, or --sign key=env://VARIABLE'
const ANNOTATION = 'annotation.'

/**
 * Understands each `--sign`: `key=FILE[,annotation.NAME=VALUE…]`.
 * @throws {TsbuildError} USAGE
 */
export function parseSign(values: readonly string[]): readonly SigningKey[] {
  return values.map((value) => {
    const fields = splitCsv(value).map((field) => keyValue(field, FORM))
    const annotations: Record<string, string> = {}
    let key = ''
    for (const [name, text] of fields) {
      if (name === 'key') key = text
      else if (name.startsWith(ANNOTATION)) annotations[name.slice(ANNOTATION.length)] = text
      else throw usageError(`unknown option "${name}" of --sign`, `${FORM}[,annotation.NAME=VALUE]`)
    }
    if (key === '') throw usageError('--sign names no key', FORM)
    return { key, annotations }
  })
}

/** `KEY=VALUE`, several times. @throws {TsbuildError} USAGE */
export function parseAnnotations(values: readonly string[]): Record<string, string> {
  const form = 'write --annotation KEY=VALUE'
  return Object.fromEntries(values.map((value) => keyValue(value, form)))
}

function keyValue(field: string, hint: string): readonly [string, string] {
  const at = field.indexOf('=')
  if (at < 1) throw usageError(`"${field}" is not KEY=VALUE`, hint)
  return [field.slice(0, at), field.slice(at + 1)]
}
