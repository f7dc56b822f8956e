import { type Name, textOfName } from '#core'
import { lineOf, type Package } from '../package/package.ts'
import { packageUrl } from '../package/package-url.ts'
import { elfSection } from './elf-section.ts'
import type { ReadDeps } from './read-deps.ts'
import { linesOf } from './stanzas.ts'

/** Names that no program has. */
const NO_PROGRAM =
  /\.(?:pyc?|[cm]?js|[cm]?ts|map|json|md|txt|html?|css|h|hpp|gz|xz|svg|png|list|md5sums|pl|pm|rb|ya?ml)$/i
const LEAST_BYTES = 4096
const EXECUTABLE = 0o111

const SECTION = '.go.buildinfo'
const MAX_SECTION = 16 << 20
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
const FLAGS_AT = 15
const STRINGS_AT = 32
/** Texts are in the section itself, as since Go 1.18. */
const INLINE = 2
/** Of the text about modules, before and after it. */
const SENTINEL = 16

/** Whether a file may be a program that Go has made. */
export function mayBeGo(path: string): boolean {
  return !NO_PROGRAM.test(path)
}

/** The modules that a program of Go was built of, and the standard library. Spec: Go, debug/buildinfo */
export function* goPackages(path: Name, { files }: ReadDeps): Generator<Package> {
  const stat = files.tree.lstat(path)
  if (stat === undefined || stat.size < LEAST_BYTES || (stat.mode & EXECUTABLE) === 0) return
  const info = elfSection(files, path, { name: SECTION, limit: MAX_SECTION })
  const isInfo = info?.subarray(0, MAGIC.length).equals(MAGIC) === true
  if (info === undefined || !isInfo || ((info[FLAGS_AT] ?? 0) & INLINE) === 0) return
  const [version, afterVersion] = textAt(info, STRINGS_AT)
  const [modules] = textAt(info, afterVersion)
  const source = textOfName(path)
  const release = /^go(\S+)/.exec(version.toString())?.[1]
  if (release !== undefined) yield modulePackage('stdlib', release, source)
  const text = modules.subarray(SENTINEL, -SENTINEL).toString('utf8')
  for (const { name, version: wanted } of modulesIn(text)) yield modulePackage(name, wanted, source)
}

/** A text behind its length, and where it ends. */
function textAt(info: Buffer, at: number): readonly [Buffer, number] {
  let length = 0
  for (let [shift, next] = [0, at]; shift < 35; shift += 7) {
    const byte = info[next++]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return [info.subarray(next, next + length), next + length]
  }
  return [Buffer.alloc(0), info.length]
}

interface GoModule {
  readonly name: string
  readonly version: string
}

/** The module of the program, those it depends on, and others in their place. */
function modulesIn(text: string): readonly GoModule[] {
  const found: GoModule[] = []
  let revision: string | undefined
  for (const line of linesOf(text)) {
    const [kind, name, version] = line.split('\t')
    if (kind === '=>' && found.length > 0) found.pop()
    if (kind === 'build') revision ??= /^vcs\.revision=(\w+)$/.exec(name ?? '')?.[1]
    const [shown, known] = [lineOf(name), lineOf(version)]
    const isModule = kind === 'mod' || kind === 'dep' || kind === '=>'
    if (isModule && shown !== undefined) found.push({ name: shown, version: known ?? DEVELOPED })
  }
  return found.map((one) => (one.version === DEVELOPED ? { ...one, version: revision ?? '' } : one))
}

/** What Go says of a module without a version. */
const DEVELOPED = '(devel)'

function modulePackage(name: string, version: string, source: string): Package {
  const at = name.lastIndexOf('/')
  const namespace = at < 0 ? undefined : name.slice(0, at)
  const url = packageUrl('golang', { namespace, name: name.slice(at + 1), version })
  return { type: 'golang', name, version, url, source }
}
