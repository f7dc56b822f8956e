import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** What npm notes of a package that it has chosen. */
interface Locked {
  readonly integrity?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
}

/** What clients of docker need that tests drive engines with; they work without what these scripts make. */
const BROUGHT_ALONG = ['cpu-features', 'protobufjs', 'ssh2'].map((name) => `node_modules/${name}`)

const lock = new URL('../../../package-lock.json', import.meta.url)
const { packages }: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(
  readFileSync(lock, 'utf8'),
)
const installed = Object.entries(packages).filter(([path]) => path !== '')

describe('packages of others', () => {
  it('are all locked by their digests', () => {
    assert.ok(installed.length > 500)
    // npm notes no digest of tools for other systems, which it has never fetched.
    const open = installed.filter(([, { integrity, dev, optional }]) => {
      return !(integrity?.startsWith('sha512-') ?? (dev && optional))
    })
    assert.deepEqual(open, [])
  })

  it('run nothing when they are installed, but for those that are programs', () => {
    const scripts = installed.filter(([, { hasInstallScript }]) => hasInstallScript)
    assert.deepEqual(
      scripts.map(([path]) => path),
      [...BROUGHT_ALONG, 'node_modules/koffi', 'node_modules/node'].toSorted(),
    )
    for (const path of BROUGHT_ALONG) assert.equal(packages[path]?.dev, true)
  })
})
