import type { StackTree } from '#builder/layer'
import { type Name, textOfName } from '#core'
import { RootFiles, walkFiles } from '../files/root-files.ts'
import type { FoundPackages } from '../package/found-packages.ts'
import { type Distribution, distroName, lineOf, type Package } from '../package/package.ts'
import { apkPackages } from '../readers/apk.ts'
import { debPackages } from '../readers/deb.ts'
import { goPackages, mayBeGo } from '../readers/golang.ts'
import { isJar, jarPackages } from '../readers/maven.ts'
import { isNpmFile, npmPackages } from '../readers/npm.ts'
import { isPypiFile, pypiPackages } from '../readers/pypi.ts'
import { type ReadDeps, readable } from '../readers/read-deps.ts'
import { rpmPackages } from '../readers/rpm.ts'

/** Packages, and problems: more are no list that anybody reads, but an attack. */
const MOST_PACKAGES = 200_000
const MOST_PROBLEMS = 20

/** Databases of systems of packages, each at its place. */
const DATABASES = [debPackages, apkPackages, rpmPackages]

interface FileReader {
  readonly takes: (path: string) => boolean
  readonly read: (path: Name, deps: ReadDeps) => Iterable<Package>
}

/** Packages that may be anywhere, each with a file of its own. */
const ANYWHERE: readonly FileReader[] = [
  { takes: isNpmFile, read: npmPackages },
  { takes: isPypiFile, read: pypiPackages },
  { takes: isJar, read: jarPackages },
]

/**
 * Lists the packages of an image, by what their own systems of packages say. Nothing of the image is
 * executed. What cannot be read is a problem, and everything else is listed.
 */
export function listPackages(tree: StackTree, scratch: string): FoundPackages {
  const files = new RootFiles(tree)
  const distribution = readDistribution(files)
  const problems: string[] = []
  const onProblem = (message: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push(message)
  }
  const deps = { files, distribution, distro: distroName(distribution), scratch, onProblem }
  const byUrl = new Map<string, Package>()
  for (const one of allPackages(deps)) {
    if (byUrl.size >= MOST_PACKAGES) {
      onProblem(`the image has more than ${MOST_PACKAGES} packages: the list ends there`)
      break
    }
    if (!byUrl.has(one.url)) byUrl.set(one.url, one)
  }
  const packages = [...byUrl.values()].sort((a, b) => (a.url < b.url ? -1 : 1))
  return { packages, distribution, problems }
}

function* allPackages(deps: ReadDeps): Generator<Package> {
  for (const read of DATABASES) yield* read(deps)
  for (const { path, isFile } of walkFiles(deps.files.tree)) {
    const text = textOfName(path)
    const reader = ANYWHERE.find(({ takes }) => takes(text))
    const read = reader?.read ?? (mayBeGo(text) ? goPackages : undefined)
    if (read === undefined || !isFile()) continue
    yield* readable(text, read(path, deps), deps)
  }
}

const OS_RELEASE = ['etc/os-release', 'usr/lib/os-release']
const MAX_OS_RELEASE = 64 * 1024

/** Spec: os-release(5) */
function readDistribution(files: RootFiles): Distribution | undefined {
  for (const path of OS_RELEASE) {
    const text = files.text(path, MAX_OS_RELEASE)
    if (text === undefined) continue
    const value = (key: string): string | undefined => {
      const line = new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.trim()
      return lineOf(line?.replace(/^(["'])(.*)\1$/, '$2'))
    }
    const id = value('ID')
    if (id !== undefined) return { id, version: value('VERSION_ID') }
  }
  return undefined
}
