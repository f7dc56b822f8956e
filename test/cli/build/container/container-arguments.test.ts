import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseFlags } from '../../../../cli/arguments/flags.ts'
import { parseContainer, parseCpus } from '../../../../cli/build/container/container-arguments.ts'
import { RUN_FLAGS } from '../../../../cli/build/container/run-flags.ts'

const env = { HERE: 'here' }

function parse(...argv: readonly string[]) {
  return parseContainer(parseFlags(argv, RUN_FLAGS, { endsAtFirst: true }), { env })
}

describe('tsbuild run', () => {
  it('leaves what stands behind the image to its program', () => {
    const container = parse('-it', '--rm', 'app', 'sh', '-c', 'x', '--', '-e', '--name')
    assert.equal(container.image, 'app')
    assert.deepEqual(container.args, ['sh', '-c', 'x', '--', '-e', '--name'])
    assert.equal(container.stdin, 'pipe')
    assert.deepEqual(parse('--', 'app', '-x').args, ['-x'])
  })

  it('sets variables from flags, files and its own environment', () => {
    const directory = mkdtempSync('/tmp/tsbuild-run-')
    try {
      writeFileSync(`${directory}/env`, '# comment\n\n  A=file\nHERE\r\nB=has space # kept\n')
      const given = parse('--env-file', `${directory}/env`, '-e', 'A=flag', '-e', 'MISSING', 'app')
      assert.deepEqual(given.env, [
        ...['A=file', 'HERE=here', 'B=has space # kept'],
        ...['A=flag', 'MISSING'],
      ])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('shows folders of this machine and memory', () => {
    const flags = [
      '-v',
      '/a:/b',
      '-v',
      './c:/d:ro,z',
      '-v',
      '/anonymous',
      '--tmpfs',
      '/t:rw,size=1k',
    ]
    assert.deepEqual(parse(...flags, 'app').mounts, [
      { type: 'bind', source: '/a', target: '/b', readonly: false },
      { type: 'bind', source: resolve('c'), target: '/d', readonly: true },
      { type: 'tmpfs', target: '/t', size: 1024 },
    ])
  })

  it('reads the rest as docker does', () => {
    const container = parse('-w', '/w', '-u', '1:2', '-h', 'name', '--network', 'bridge', 'app')
    const { workdir, user, hostname, network, entrypoint } = container
    assert.deepEqual([workdir, user, hostname, network], ['/w', '1:2', 'name', 'default'])
    assert.equal(entrypoint, undefined)
    assert.deepEqual(parse('--entrypoint', '', 'app').entrypoint, [''])
    assert.deepEqual(parseCpus('1.5'), { cpuQuota: 150_000, cpuPeriod: 100_000 })
    assert.deepEqual(parseCpus(undefined), {})
  })

  for (const [code, ...argv] of [
    ['USAGE'],
    ['USAGE', '-v', 'a:b', 'app'],
    ['USAGE', '-v', '/a:/b:what', 'app'],
    ['UNSUPPORTED', '-v', 'name:/b', 'app'],
    ['USAGE', '--tmpfs', 'relative', 'app'],
    ['USAGE', '--tmpfs', '/t:size=x', 'app'],
    ['UNSUPPORTED', '--network', 'mine', 'app'],
    ['IO_FAILED', '--env-file', '/nonexistent/file', 'app'],
    ['USAGE', '--nmae', 'x', 'app'],
  ] as const) {
    it(`refuses ${argv.join(' ') || 'nothing'}`, () =>
      assert.throws(() => parse(...argv), { code }))
  }

  it('refuses processors that are no number', () => {
    for (const text of ['', '0', '-1', 'x', 'Infinity']) {
      assert.throws(() => parseCpus(text), { code: 'USAGE' })
    }
  })
})
