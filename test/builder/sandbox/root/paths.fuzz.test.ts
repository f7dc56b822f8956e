import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import fc from 'fast-check'
import { TsbuildError } from '#core'
import { findEntryIfThere } from '../../../../builder/sandbox/root/root-entry.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'
import { fuzz } from '../../../support/random/index.ts'
import { rootedOpen } from './rooted-open.ts'

/** Directories, files (`F`) and links of a root, by path; later ones may not fit and are left out. */
type Files = readonly (readonly [path: string, target: string])[]

const NAMES = ['a', 'b', 'c', 'é', '..', '.', '']
const DIRECTORY = 'D'
const FILE = 'F'

const path = fc
  .array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 6 })
  .chain((names) => fc.constantFrom('', '/').map((start) => start + names.join('/')))
const files: fc.Arbitrary<Files> = fc.array(
  fc
    .tuple(
      fc.array(fc.constantFrom('a', 'b', 'c', 'é'), { minLength: 1, maxLength: 3 }),
      fc.oneof(fc.constant(DIRECTORY), fc.constant(FILE), path),
    )
    .map(([names, what]) => [names.join('/'), what] as const),
  { minLength: 2, maxLength: 8 },
)
const inputs = fc.record({ files, paths: fc.array(path, { minLength: 4, maxLength: 8 }) })

describe('fuzz: paths inside a root', () => {
  const open = rootedOpen()
  let place: TemporaryDirectory
  before(() => {
    place = temporaryDirectory('fuzz-paths')
  })
  after(() => place[Symbol.dispose]())

  fuzz('F13: lead where the kernel leads a process with that root', {
    name: 'paths',
    inputs,
    check: ({ files, paths }) => {
      const root = place.file('root')
      makeRoot(root, files)
      const descriptor = openSync(root, constants.O_RDONLY)
      try {
        for (const path of paths) {
          const expected = identity(open(descriptor, Buffer.from(rooted(path))))
          assert.equal(ours(descriptor, path), expected, JSON.stringify(path))
        }
      } finally {
        closeSync(descriptor)
        rmSync(root, { recursive: true })
      }
    },
  })
})

function makeRoot(root: string, files: Files): void {
  mkdirSync(root)
  for (const [path, what] of files) {
    try {
      if (what === DIRECTORY) mkdirSync(`${root}/${path}`, { recursive: true })
      else if (what === FILE) writeFileSync(`${root}/${path}`, '', { flag: 'wx' })
      else symlinkSync(what, `${root}/${path}`)
    } catch {
      // Something else is in the way, or nothing is above.
    }
  }
}

/** The kernel takes an empty path for none. */
function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}

/** Which file was found, after which the descriptor is closed. */
function identity(descriptor: number): string | undefined {
  if (descriptor < 0) return undefined
  const { dev, ino } = fstatSync(descriptor)
  closeSync(descriptor)
  return `${dev}:${ino}`
}

function ours(root: number, path: string): string | undefined {
  try {
    const entry = findEntryIfThere(root, path)
    return entry === undefined ? undefined : identity(entry.descriptor)
  } catch (cause) {
    assert.ok(cause instanceof TsbuildError)
    return undefined
  }
}
