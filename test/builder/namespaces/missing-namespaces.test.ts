import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isUserNamespace, lacksRights } from '#builder/linux'
import { canMakeNamespaces } from '#builder/namespaces'

const HERE = fileURLToPath(new URL('./support/report-namespaces.js', import.meta.url))

/** Root without the right to make namespaces. */
const LACKING = ['--bounding-set=-sys_admin', '--inh-caps=-all', '--']

/** What a process says under a filter that refuses these calls, or without arguments one that lacks rights. */
function reportOf(...refused: readonly string[]): Readonly<Record<string, unknown>> {
  const words = refused.length === 0 ? ['setpriv', ...LACKING] : []
  const [program = '', ...args] = [...words, process.execPath, HERE, ...refused]
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

describe('namespaces of steps', () => {
  before(function () {
    if (process.getuid?.() !== 0) this.skip()
  })

  it('can be had by root of a machine, without a try', () => {
    assert.equal(lacksRights(), isUserNamespace())
    assert.equal(canMakeNamespaces(), true)
  })

  it('are tried where a filter is in force', () => {
    assert.equal(reportOf('none').error, undefined)
    for (const name of ['unshare', 'setns', 'mount', 'chroot']) {
      assert.match(`${reportOf(name).error}`, new RegExp(`EPERM: .*, ${name}$`))
    }
  })

  it('take a user namespace without the right to make them, whose map does not tell', () => {
    const report = reportOf()
    assert.equal(report.lacked, true)
    assert.equal(report.lacks, false)
    assert.equal(report.error, undefined)
    assert.equal(report.map, '0 0 4294967295')
    assert.notEqual(report.namespace, readlinkSync('/proc/self/ns/user'))
    assert.equal(report.isUserNamespace, true)
  })
})
