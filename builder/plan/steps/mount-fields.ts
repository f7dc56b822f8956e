import { parseBoolean, parseByteSize, suggestion } from '#core'
import { type RunMount, SourceError, type Word } from '#parser'

/** A type of `--mount=`. */
type MountType = (typeof TYPES)[number]
/** How builds that run at the same time share a cache mount. */
type Sharing = (typeof SHARINGS)[number]

/** The keys of a `--mount=`, read and checked. */
export interface MountFields {
  readonly type: MountType
  readonly from: string
  readonly source: string
  readonly target: string
  readonly readonly: boolean
  readonly id: string
  readonly sharing: Sharing | undefined
  readonly required: boolean
  /** Bytes. */
  readonly size: number | undefined
  readonly mode: number | undefined
  readonly uid: number | undefined
  readonly gid: number | undefined
  /** Empty: named like the secret. */
  readonly env: string | undefined
  /** Podman's `z` and `Z`: files get a label of SELinux. */
  readonly relabel: boolean
  /** Podman's `U`: everything in it belongs to the user of the step. */
  readonly owned: boolean
}

const TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const
const SHARINGS = ['shared', 'private', 'locked'] as const
const KEYS: readonly string[] = [
  ...['type', 'from', 'source', 'target', 'readonly', 'id', 'sharing', 'required', 'size', 'mode'],
  ...['uid', 'gid', 'src', 'dst', 'destination', 'ro', 'rw', 'readwrite', 'env', 'z', 'u'],
]

type Draft = { -readonly [K in keyof MountFields]: MountFields[K] | undefined }

/**
 * Reads the fields in their order, as BuildKit does: `required` and `size` count only after the
 * `type` that has them.
 * @param expand replaces variables; a `from` has none
 * @throws {SourceError} DOCKERFILE_INVALID
 */
export function readMountFields(
  { fields, raw }: RunMount,
  expand: (word: Word) => string,
): MountFields {
  const draft: Partial<Draft> = {}
  for (const [key, written] of fields) {
    if (written === undefined) {
      throw mountError(raw, `invalid field '${key}' must be a key=value pair`)
    }
    const value = key === 'from' ? written : expand({ raw: written, range: raw.range })
    const problem = readField(draft, key, value)
    if (problem !== undefined) throw mountError(raw, problem)
  }
  const type = draft.type ?? 'bind'
  const problem = contradictionIn(draft, type)
  if (problem !== undefined) throw mountError(raw, problem)
  const { sharing, size, mode, uid, gid, env } = draft
  return {
    type,
    from: draft.from ?? '',
    source: draft.source ?? '',
    target: draft.target ?? '',
    readonly: draft.readonly ?? (type !== 'cache' && type !== 'tmpfs'),
    id: draft.id ?? '',
    required: draft.required ?? false,
    relabel: draft.relabel ?? false,
    owned: draft.owned ?? false,
    ...{ sharing, size, mode, uid, gid, env },
  }
}

/** The failure of one `--mount=`. */
export function mountError(raw: Word, message: string): SourceError {
  return new SourceError(message, {
    code: 'DOCKERFILE_INVALID',
    ranges: [raw.range],
    hint: 'the keys are type, target, source, from, readonly, id, sharing, mode, uid, gid, required, size and env',
  })
}

/** Reads one field into `draft`. @returns what is wrong with it */
function readField(draft: Partial<Draft>, key: string, value: string): string | undefined {
  switch (key) {
    case 'type':
      draft.type = TYPES.find((type) => type === value.toLowerCase())
      if (draft.type !== undefined) return undefined
      return `unsupported mount type ${JSON.stringify(value)}${suggestionHint(value, TYPES)}`
    case 'sharing':
      draft.sharing = SHARINGS.find((mode) => mode === value.toLowerCase())
      if (draft.sharing !== undefined) return undefined
      return `unsupported sharing value ${JSON.stringify(value)}${suggestionHint(value, SHARINGS)}`
    case 'from':
    case 'id':
    case 'env':
      draft[key] = value
      return undefined
    case 'source':
    case 'src':
      draft.source = value
      return undefined
    case 'target':
    case 'dst':
    case 'destination':
      draft.target = value
      return undefined
    case 'readonly':
    case 'ro':
    case 'readwrite':
    case 'rw':
      return readAccess(draft, key, value)
    case 'z':
    case 'u':
      return readSwitch(draft, key, value)
    case 'required':
    case 'size':
      return readForType(draft, key, value)
    case 'mode':
    case 'uid':
    case 'gid':
      draft[key] = parseUint32(value, key === 'mode' ? 8 : 10)
      return draft[key] === undefined ? `invalid value ${value} for ${key}` : undefined
    default:
      return `unexpected key '${key}' in '${key}=${value}'${suggestionHint(key, KEYS)}`
  }
}

function readAccess(draft: Partial<Draft>, key: string, value: string): string | undefined {
  const isOn = parseBoolean(value)
  if (isOn === undefined) return `invalid value for ${key}: ${value}`
  draft.readonly = key.startsWith('ro') || key === 'readonly' ? isOn : !isOn
  return undefined
}

/** Keys are in lower case here: `z` is `Z` too, and `u` is `U`. */
function readSwitch(draft: Partial<Draft>, key: 'z' | 'u', value: string): string | undefined {
  const isOn = parseBoolean(value)
  if (isOn === undefined) return `invalid value for ${key}: ${value}`
  draft[key === 'z' ? 'relabel' : 'owned'] = isOn
  return undefined
}

function readForType(
  draft: Partial<Draft>,
  key: 'required' | 'size',
  value: string,
): string | undefined {
  const type = draft.type ?? 'bind'
  const types: readonly MountType[] = key === 'size' ? ['tmpfs'] : ['secret', 'ssh']
  if (!types.includes(type)) return `unexpected key '${key}' for mount type '${type}'`
  if (key === 'size') draft.size = parseByteSize(value)
  else draft.required = parseBoolean(value)
  return draft[key] === undefined ? `invalid value for ${key}: ${value}` : undefined
}

/** The first contradiction between fields. */
function contradictionIn(draft: Partial<Draft>, type: MountType): string | undefined {
  if (type === 'bind' || type === 'tmpfs') {
    const key = (['mode', 'uid', 'gid'] as const).find((name) => draft[name] !== undefined)
    if (key !== undefined) return `${key} not allowed for ${JSON.stringify(type)} type mounts`
  }
  if (draft.owned === true && (type === 'secret' || type === 'ssh')) {
    return `unexpected key 'U' for mount type '${type}'`
  }
  if (draft.sharing !== undefined && type !== 'cache') {
    return `invalid cache sharing set for ${type} mount`
  }
  if (type === 'ssh' && draft.source) return 'ssh does not support source'
  if (draft.env !== undefined && type !== 'secret') {
    return `unexpected key 'env' for mount type '${type}'`
  }
  if (type !== 'secret') return undefined
  if (draft.from) return 'secret mount should not have a from'
  if (!draft.source && !draft.target && !draft.id) {
    return 'invalid secret mount. one of source, target required'
  }
  return draft.source && draft.id ? "both source and id can't be set" : undefined
}

function parseUint32(text: string, base: 8 | 10): number | undefined {
  if (!(base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text)) return undefined
  const value = Number.parseInt(text, base)
  // The kernel reads the greatest one as "keep the owner".
  return value < 0xffffffff ? value : undefined
}

/** As many as BuildKit allows, also for short words. */
const MAX_EDITS = 2

function suggestionHint(word: string, candidates: readonly string[]): string {
  const found = suggestion(word, candidates, MAX_EDITS)
  return found === undefined ? '' : ` (did you mean ${found}?)`
}
