import assert from 'node:assert/strict'
import { isJsonObject, type Json, type JsonObject, TsbuildError } from '#core'
import {
  objectsOf,
  type Path,
  placesOf,
  spellingsOf,
  textWith,
  withPlace,
} from './document-variants.ts'

/** A kind of document from outside, and the program's reader of it. */
export interface DocumentCase {
  readonly name: string
  /** With every field that is known, at every level. */
  readonly example: JsonObject
  /** The objects whose keys are data: a `*` in their ways stands for any key or position. */
  readonly maps: readonly string[]
  /** The fields without which there is an error. */
  readonly required: readonly string[]
  /** What the program makes of it. @throws {TsbuildError} */
  readonly read: (bytes: Buffer) => unknown
}

/** What every reader of documents from outside must do. */
export function documentSuite(one: DocumentCase): void {
  const { example, read } = one
  const isMap = (path: Path): boolean => one.maps.some((map) => matches(path, map))
  const isRefused = async (text: string): Promise<void> => {
    assert.ok((await outcome(read, text)) instanceof TsbuildError, text)
  }

  describe(`documents: ${one.name}`, () => {
    it('takes the example', async () => {
      assert.equal((await outcome(read, JSON.stringify(example))) instanceof Error, false)
    })

    it('takes null for absent in every field', async () => {
      const refused = new Set<string>()
      for (const path of placesOf(example).filter((at) => typeof at.at(-1) === 'string')) {
        const isData = isMap(path.slice(0, -1))
        const found = await outcome(read, JSON.stringify(withPlace(example, path, null)))
        if (found instanceof Error) refused.add(generalized(path))
        if (isData) continue
        const absent = await outcome(read, JSON.stringify(withPlace(example, path, undefined)))
        assert.deepEqual(plain(found), plain(absent), path.join('.'))
      }
      assert.deepEqual([...refused].sort(), [...one.required].sort())
    })

    it('reads null in a list or a map, or refuses it', async () => {
      for (const path of placesOf(example)) {
        const found = await outcome(read, JSON.stringify(withPlace(example, path, null)))
        assert.ok(!(found instanceof Error) || found instanceof TsbuildError, path.join('.'))
      }
    })

    it('refuses other spellings of its fields, beside and instead of them', async () => {
      for (const [path, object] of objectsOf(example)) {
        for (const [key, value] of isMap(path) ? [] : Object.entries(object)) {
          for (const spelling of spellingsOf(key)) {
            const member = `${JSON.stringify(spelling)}:${JSON.stringify(value)}`
            await isRefused(textWith(example, path, member))
            const without = withPlace(example, [...path, key], undefined)
            await isRefused(textWith(without, path, member))
            await isRefused(textWith(without, path, `${JSON.stringify(spelling)}:null`))
          }
        }
      }
    })

    it('keeps keys of maps that differ in case', async () => {
      for (const [path, object] of objectsOf(example).filter(([at]) => isMap(at))) {
        for (const [key, value] of Object.entries(object)) {
          for (const spelling of spellingsOf(key)) {
            const text = textWith(
              example,
              path,
              `${JSON.stringify(spelling)}:${JSON.stringify(value)}`,
            )
            assert.equal((await outcome(read, text)) instanceof Error, false, text)
          }
        }
      }
    })

    it('refuses a key that is there twice, in every object', async () => {
      for (const [path, object] of objectsOf(example)) {
        const escaped = (key: string): string =>
          `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}"`
        for (const [key, value] of Object.entries(object)) {
          await isRefused(
            textWith(example, path, `${JSON.stringify(key)}:${JSON.stringify(value)}`),
          )
          await isRefused(textWith(example, path, `${escaped(key)}:null`))
        }
        if (isMap(path)) continue
        await isRefused(textWith(example, path, '"x-unknown":{"a":[{"b":1,"b":1}]}'))
      }
    })

    it('ignores fields that it does not know, in every object', async () => {
      const expected = await outcome(read, JSON.stringify(example))
      for (const [path] of objectsOf(example).filter(([at]) => !isMap(at))) {
        const unknown = '"x-unknown":{"Size":1.5e300,"size":-0.0,"a":[true,null,"\\ud800"]}'
        assert.deepEqual(await outcome(read, textWith(example, path, unknown)), expected)
      }
    })

    it('refuses values of another kind', async () => {
      for (const path of placesOf(example)) {
        const value = valueAt(example, path)
        for (const other of ['x', 7, true, [7], { 'x-unknown': 7 }]) {
          if (kindOf(other) === kindOf(value)) continue
          await isRefused(JSON.stringify(withPlace(example, path, other)))
        }
      }
    })

    it('refuses numbers that are written as no integer', async () => {
      for (const path of placesOf(example)) {
        const value = valueAt(example, path)
        if (typeof value !== 'number') continue
        const text = JSON.stringify(withPlace(example, path, '@number'))
        for (const number of [
          `${value}.0`,
          `${value}e0`,
          '1e3',
          '0.5',
          '1e21',
          '9007199254740993',
        ]) {
          await isRefused(text.replace('"@number"', number))
        }
      }
    })

    it('refuses what is around it', async () => {
      const text = JSON.stringify(example)
      for (const other of [
        `\ufeff${text}`,
        `${text}x`,
        `${text}{}`,
        `[${text}]`,
        `${text},`,
        '7',
      ]) {
        await isRefused(other)
      }
      assert.deepEqual(await outcome(read, ` \n${text}\r\n\t`), await outcome(read, text))
    })
  })
}

async function outcome(read: DocumentCase['read'], text: string): Promise<unknown> {
  try {
    return await read(Buffer.from(text))
  } catch (error) {
    return error
  }
}

/** Errors are equal when they say the same. */
function plain(found: unknown): unknown {
  return found instanceof TsbuildError ? `${found.code}: ${found.message}` : found
}

function valueAt(document: Json, path: Path): Json {
  return path.reduce<Json>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)] ?? null
    return isJsonObject(value) ? (value[String(key)] ?? null) : null
  }, document)
}

function kindOf(value: Json): string {
  return Array.isArray(value) ? 'list' : typeof value
}

/** Positions do not matter. */
function generalized(path: Path): string {
  return path.map((key) => (typeof key === 'number' ? '*' : key)).join('.')
}

function matches(path: Path, pattern: string): boolean {
  const steps = pattern.split('.')
  return (
    steps.length === path.length && steps.every((step, i) => step === '*' || step === `${path[i]}`)
  )
}
