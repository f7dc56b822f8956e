import type { IToken } from 'chevrotain'
import type { Word } from '../ast/ast.ts'
import { scanFlag } from '../text/scan.ts'
import { didYouMean } from '../text/suggest.ts'
import { type Children, tokensOf } from './cst.ts'
import type { Site } from './site.ts'

/** What a flag takes: one value, several (it may be repeated), or nothing, `true` or `false`. */
type FlagKind = 'one' | 'many' | 'switch'

type FlagSpec = Readonly<Record<string, FlagKind>>

/** Which instruction takes which flag; one that is not listed takes none. */
const FLAGS: Readonly<Record<string, FlagSpec>> = {
  from: { platform: 'one' },
  run: { mount: 'many', network: 'one', security: 'one', device: 'many' },
  copy: {
    from: 'one',
    chown: 'one',
    chmod: 'one',
    link: 'switch',
    parents: 'switch',
    exclude: 'many',
  },
  add: {
    chown: 'one',
    chmod: 'one',
    link: 'switch',
    'keep-git-dir': 'switch',
    checksum: 'one',
    unpack: 'switch',
    exclude: 'many',
  },
  healthcheck: {
    interval: 'one',
    timeout: 'one',
    'start-period': 'one',
    'start-interval': 'one',
    retries: 'one',
  },
}

interface FlagUse {
  readonly name: string
  readonly token: IToken
  /** Quotes and escapes removed; `undefined` without `=`. */
  readonly value: Word | undefined
}

/** The flags of one instruction, checked. */
export interface Flags {
  /** An empty value is treated like an absent flag. */
  one(name: string): Word | undefined
  /** An empty value is a value. */
  exactly(name: string): Word | undefined
  many(name: string): readonly Word[]
  isOn(name: string): boolean | undefined
}

const NO_FLAGS: Flags = {
  one: () => undefined,
  exactly: () => undefined,
  many: () => [],
  isOn: () => undefined,
}

/** Reads the flags of the instruction called `kind` (lower case). Mistakes go to `site`. */
export function readFlags(children: Children, kind: string, site: Site): Flags {
  const tokens = tokensOf(children, 'Flag')
  if (tokens.length === 0) return NO_FLAGS
  const spec = FLAGS[kind] ?? {}
  const uses = new Map<string, FlagUse[]>()
  for (const token of tokens) {
    const use = parseFlag(token, site)
    const same = uses.get(use.name)
    if (!check(use, { spec, isDuplicate: same !== undefined, site })) continue
    if (same === undefined) uses.set(use.name, [use])
    else same.push(use)
  }
  const find = (name: string): FlagUse | undefined => uses.get(name)?.[0]
  return {
    one: (name) => {
      const value = find(name)?.value
      return value?.raw === '' ? undefined : value
    },
    exactly: (name) => find(name)?.value,
    many: (name) => (uses.get(name) ?? []).flatMap(({ value }) => value ?? []),
    isOn: (name) => {
      const use = find(name)
      return use && use.value?.raw.toLowerCase() !== 'false'
    },
  }
}

/** Reports the flags of an instruction that BuildKit drops silently. */
export function warnOfFlags(children: Children, instruction: string, site: Site): void {
  for (const token of tokensOf(children, 'Flag')) {
    const { name } = parseFlag(token, site)
    site.warn(`flag --${name} has no effect on ${instruction}`, {
      code: 'IgnoredFlag',
      range: site.range(token),
      hint: 'remove the flag',
    })
  }
}

function parseFlag(token: IToken, site: Site): FlagUse {
  const { value, isTorn } = scanFlag(token.image, 0, site.escape)
  const text = value.slice(2)
  const equals = text.indexOf('=')
  if (isTorn) {
    const hint = 'write flags with ASCII characters only'
    site.fail('flag ends in the middle of a character', { range: site.range(token), hint })
  }
  if (equals < 0) return { name: text, token, value: undefined }
  const range = site.range(token, token.image.indexOf('=') + 1)
  return { name: text.slice(0, equals), token, value: { raw: text.slice(equals + 1), range } }
}

interface CheckContext {
  readonly spec: FlagSpec
  readonly isDuplicate: boolean
  readonly site: Site
}

function check(use: FlagUse, { spec, isDuplicate, site }: CheckContext): boolean {
  const { name, token, value } = use
  const range = site.range(token)
  const type = Object.hasOwn(spec, name) ? spec[name] : undefined
  if (type === undefined) {
    site.fail(`unknown flag: --${name}${didYouMean(name, Object.keys(spec))}`, { range })
    return false
  }
  if (isDuplicate && type !== 'many') {
    site.fail(`duplicate flag specified: --${name}`, { range })
    return false
  }
  if (type === 'switch') return checkSwitch(use, site)
  if (value !== undefined) return true
  site.fail(`missing a value on flag: --${name}`, { range, hint: `write --${name}=VALUE` })
  return false
}

function checkSwitch({ name, token, value }: FlagUse, site: Site): boolean {
  const range = site.range(token)
  if (value?.raw === '') {
    site.fail(`missing a value on flag: --${name}`, { range })
    return false
  }
  const isBoolean = value === undefined || /^(true|false)$/i.test(value.raw)
  if (!isBoolean) {
    site.fail(`expecting boolean value for flag --${name}, not: ${value.raw}`, { range })
  }
  return isBoolean
}
