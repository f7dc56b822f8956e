import { posix } from 'node:path'
import { decoded, parseBoolean, TsbuildError, withoutCredentials } from '#core'

/** A commit of a repository, or a folder in it. Data only: part of a plan. */
export interface GitSource {
  /** As git takes it, without user and password where it is http(s). */
  readonly remote: string
  /** `user:password` of an http(s) remote. */
  readonly credentials?: string
  /** A branch, a tag, a whole commit hash or `refs/…`; absent: the default branch. */
  readonly ref?: string
  /** Below the root of the repository, cleaned; absent: all of it. */
  readonly subdir?: string
  /** A commit hash, or the first seven or more digits of it, that `ref` has to lead to. */
  readonly checksum?: string
  readonly keepGitDir?: boolean
  /** Absent: they are fetched. */
  readonly submodules?: boolean
  /** Times of the files: of the checkout (default), or of the commit. */
  readonly mtime?: 'checkout' | 'commit'
  /** The commit is requested from the remote, not the branch or tag. */
  readonly fetchByCommit?: boolean
}

/** Which texts count as a repository. */
export interface GitSourceOptions {
  /**
   * Accepts `github.com/user/repository`, for build contexts: no file has that name there; and
   * `git+https://…`, for a repository whose address does not end in `.git`.
   */
  readonly allowShort?: boolean
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const CHECKSUM = /^[0-9a-f]{7,64}$/
/** Spec: git-check-ref-format(1); a leading dash would be an option. */
const BAD_REF = /^[-/]|[\0-\x20~^:?*[\\\x7f]|\.\.|@\{|\/$|\/\/|\.lock$/
const BAD_HOST = /^-|[^A-Za-z0-9.\-_:[\]]/
const SCP =
  /^(?<user>[A-Za-z0-9_-]+)@(?<host>[A-Za-z0-9.-]+):(?<path>[^#?]*)(?<query>\?[^#]*)?(?:#(?<fragment>.*))?$/

/**
 * A git repository as ADD and build contexts write it: `https://….git`, `git://…`, `ssh://…` or
 * `user@host:path`, with `#ref:subdir` or `?branch=…&subdir=…`; `undefined` for every other text.
 * @throws {TsbuildError} DOCKERFILE_INVALID for contradictions, and for what git could take for an
 * option or a command
 */
export function parseGitSource(
  text: string,
  options: GitSourceOptions = {},
): GitSource | undefined {
  if (options.allowShort === true && text.startsWith('github.com/')) {
    return fromUrl(`https://${text}`, text)
  }
  if (options.allowShort === true && /^git\+https?:\/\//i.test(text)) {
    return fromUrl(text.slice('git+'.length), text)
  }
  if (/^(?:git|ssh):\/\//i.test(text)) return fromUrl(text, text)
  if (/^https?:\/\//i.test(text)) {
    return URL.canParse(text) && new URL(text).pathname.endsWith('.git')
      ? fromUrl(text, text)
      : undefined
  }
  const scp = SCP.exec(text)?.groups
  if (scp === undefined) return undefined
  const { user = '', host = '', path = '', query = '', fragment = '' } = scp
  if (path === '' || [user, host, path].some((part) => part.startsWith('-'))) {
    throw gitSourceError(text, 'it is not a repository')
  }
  return withFragment({ remote: `${user}@${host}:${path}` }, { text, query, fragment })
}

/** The source with the values of `--checksum` and `--keep-git-dir`. @throws {TsbuildError} DOCKERFILE_INVALID */
export function withGitFlags(
  source: GitSource,
  flags: { readonly checksum?: string | undefined; readonly keepGitDir?: boolean | undefined },
): GitSource {
  const { checksum, keepGitDir } = flags
  const flagError = (message: string): TsbuildError =>
    new TsbuildError(message, { code: 'DOCKERFILE_INVALID' })
  if (checksum !== undefined) {
    if (!CHECKSUM.test(checksum)) {
      throw new TsbuildError(`invalid checksum ${JSON.stringify(checksum)}`, {
        code: 'DOCKERFILE_INVALID',
        hint: 'the checksum of a repository is a commit hash',
      })
    }
    if (source.checksum !== undefined && source.checksum !== checksum) {
      throw flagError(`checksum mismatch "${source.checksum}" != "${checksum}"`)
    }
  }
  if (keepGitDir !== undefined && (source.keepGitDir ?? keepGitDir) !== keepGitDir) {
    throw flagError('inconsistent keep-git-dir configuration')
  }
  return {
    ...source,
    ...(checksum === undefined ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
  }
}

/** Whether a ref is a commit hash, which need not be looked up at the remote. */
export function isCommit(ref: string): boolean {
  return COMMIT.test(ref)
}

/** For messages: remote, ref and folder, without password. */
export function gitSourceName({ remote, ref, subdir }: GitSource): string {
  const folder = subdir === undefined ? '' : `:${subdir}`
  return `${remote}${ref === undefined && folder === '' ? '' : `#${ref ?? ''}${folder}`}`
}

function fromUrl(url: string, text: string): GitSource {
  if (!URL.canParse(url)) throw gitSourceError(text, 'it is not a URL')
  const parsed = new URL(url)
  const { username, password, search, hash } = parsed
  const isBad = BAD_HOST.test(parsed.host) || parsed.host === '' || username.startsWith('-')
  if (isBad || /^\/*-/.test(parsed.pathname)) throw gitSourceError(text, 'it is not a repository')
  parsed.hash = ''
  parsed.search = ''
  parsed.password = ''
  const isHttp = /^https?:$/.test(parsed.protocol)
  if (isHttp) parsed.username = ''
  const isSecret = isHttp && (username !== '' || password !== '')
  const pair = `${decoded(username)}:${decoded(password)}`
  const source = { remote: parsed.href, ...(isSecret ? { credentials: pair } : {}) }
  return withFragment(source, { text, query: search, fragment: decoded(hash.slice(1)) })
}

interface Written {
  readonly text: string
  readonly query: string
  readonly fragment: string
}

function withFragment(source: GitSource, { text, query, fragment }: Written): GitSource {
  const at = fragment.indexOf(':')
  const ref = at < 0 ? fragment : fragment.slice(0, at)
  const subdir = at < 0 ? '' : fragment.slice(at + 1)
  const found: Writable<GitSource> = { ...source }
  if (ref !== '') found.ref = ref
  if (subdir !== '') found.subdir = subdir
  readQuery(found, new URLSearchParams(query), text)
  // Otherwise the checksum is what the usual branch has to be at.
  if (found.fetchByCommit === true && found.checksum !== undefined) found.ref ??= found.checksum
  if (found.ref !== undefined && BAD_REF.test(found.ref)) {
    throw gitSourceError(text, `${JSON.stringify(found.ref)} is not a ref`)
  }
  const { subdir: written, ...rest } = found
  const cleaned = written === undefined ? '' : cleanSubdir(written, text)
  return cleaned === '' ? rest : { ...rest, subdir: cleaned }
}

function readQuery(found: Writable<GitSource>, query: URLSearchParams, text: string): void {
  if (query.has('branch') && query.has('tag'))
    throw gitSourceError(text, 'branch conflicts with tag')
  for (const key of new Set(query.keys())) {
    const values = query.getAll(key)
    if (values.length > 1) throw gitSourceError(text, `query "${key}" has multiple values`)
    const value = values[0] ?? ''
    if (value === '' && !SWITCHES.has(key))
      throw gitSourceError(text, `query "${key}" has no value`)
    const read = QUERY[key]
    if (read === undefined) throw gitSourceError(text, `unexpected query "${key}"`)
    read(found, value, text)
  }
}

type ReadQuery = (found: Writable<GitSource>, value: string, text: string) => void

const SWITCHES = new Set(['keep-git-dir', 'submodules', 'fetch-by-commit'])

const QUERY: Readonly<Record<string, ReadQuery>> = {
  ref: setRef,
  branch: (found, value, text) => setRef(found, prefixed('refs/heads/', value), text),
  tag: (found, value, text) => setRef(found, prefixed('refs/tags/', value), text),
  subdir: (found, value, text) => {
    if ((found.subdir ?? value) !== value) {
      throw gitSourceError(text, `subdir conflicts: "${found.subdir}" vs "${value}"`)
    }
    found.subdir = value
  },
  checksum: setChecksum,
  commit: setChecksum,
  'keep-git-dir': (found, value, text) => {
    found.keepGitDir = toSwitch('keep-git-dir', value, text)
  },
  submodules: (found, value, text) => {
    found.submodules = toSwitch('submodules', value, text)
  },
  'fetch-by-commit': (found, value, text) => {
    found.fetchByCommit = toSwitch('fetch-by-commit', value, text)
  },
  mtime: (found, value, text) => {
    if (value !== 'checkout' && value !== 'commit') {
      throw gitSourceError(text, `invalid mtime value: "${value}"`)
    }
    found.mtime = value
  },
}

function setRef(found: Writable<GitSource>, value: string, text: string): void {
  if ((found.ref ?? value) !== value) {
    throw gitSourceError(text, `ref conflicts: "${found.ref}" vs "${value}"`)
  }
  found.ref = value
}

function setChecksum(found: Writable<GitSource>, value: string, text: string): void {
  if (!CHECKSUM.test(value)) throw gitSourceError(text, `"${value}" is not a commit hash`)
  found.checksum = value
}

function prefixed(prefix: string, value: string): string {
  return value.startsWith(prefix) ? value : `${prefix}${value}`
}

/** Without a value it is on. */
function toSwitch(key: string, value: string, text: string): boolean {
  const isOn = value === '' || parseBoolean(value)
  if (isOn !== undefined) return isOn
  throw gitSourceError(text, `invalid ${key} value: "${value}"`)
}

/** Without `.`, `..` and empty components; what is above the root is the root. */
function cleanSubdir(subdir: string, text: string): string {
  const cleaned = posix.join('/', subdir)
  if (cleaned.split('/').includes('.git') || subdir.includes('\0')) {
    throw gitSourceError(text, `${JSON.stringify(subdir)} is not a folder of the repository`)
  }
  return cleaned.replace(/^\/|\/$/g, '')
}

function gitSourceError(text: string, why: string): TsbuildError {
  const shown = JSON.stringify(withoutCredentials(text))
  return new TsbuildError(`invalid git reference ${shown}: ${why}`, {
    code: 'DOCKERFILE_INVALID',
    hint: 'write https://HOST/PATH.git#REF:FOLDER',
  })
}
