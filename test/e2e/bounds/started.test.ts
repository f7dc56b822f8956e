/** What a small build starts: a thread costs more than all of its file work, and a list is no clock. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { mustBuild, tsbuild } from '../support/tsbuild.ts'

/** Runs in the program before it: writes a line for each thread and each process that Node starts. */
const RECORDER = `
const { appendFileSync } = require('node:fs')
const { basename } = require('node:path')
const threads = require('node:worker_threads')
const processes = require('node:child_process')
const record = (line) => appendFileSync(process.env.STARTED, line + '\\n')
const { Worker } = threads
threads.Worker = class extends Worker {
  constructor(script, options) {
    record('thread')
    super(script, options)
  }
}
for (const name of ['spawn', 'spawnSync', 'execFile', 'execFileSync', 'fork']) {
  const start = processes[name]
  processes[name] = (program, ...rest) => {
    record(basename(program))
    return start(program, ...rest)
  }
}
`

const STEPS = [
  'FROM scratch',
  'COPY --chmod=755 busybox /bin/busybox',
  'RUN ["/bin/busybox", "touch", "/first"]',
  'COPY file /file',
  'RUN ["/bin/busybox", "cp", "/file", "/second"]',
]

/** Once for a build: the marks of what an earlier build left, if that is a minute old. */
const ONCE = ['sync']

describe('what a build starts', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('started')
    mkdirSync(directory.file('context'))
    writeFileSync(directory.file('recorder.cjs'), RECORDER)
  })
  afterEach(() => directory[Symbol.dispose]())

  async function started(...flags: readonly string[]) {
    return await startedBy(mustBuild, flags)
  }

  async function startedBy(start: typeof tsbuild, flags: readonly string[]) {
    const list = directory.file('list')
    writeFileSync(list, '')
    await start([...flags, '-t', 'x', directory.file('context')], {
      root: directory.file('store'),
      env: { STARTED: list, NODE_OPTIONS: `--require=${directory.file('recorder.cjs')}` },
    })
    const lines = readFileSync(list, 'utf8').split('\n')
    return {
      threads: lines.filter((line) => line === 'thread').length,
      processes: lines.filter((line) => line !== 'thread' && line !== ''),
    }
  }

  function put(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(directory.file(`context/${name}`), text)
    }
  }

  it('is nothing where all is cached, and a thread for small steps', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    copyFileSync('/bin/busybox', directory.file('context/busybox'))
    put({ Dockerfile: STEPS.join('\n'), file: 'text' })
    for (const flags of [[], ['--no-cache']]) {
      const { threads, processes } = await started(...flags)
      assert.equal(threads, 1, `${flags}`)
      assert.deepEqual(
        processes.filter((name) => !ONCE.includes(name)),
        [],
      )
      assert.equal(new Set(processes).size, processes.length)
    }
    const { threads, processes } = await started()
    assert.equal(threads, 0)
    assert.deepEqual(
      processes.filter((name) => name !== 'sync'),
      [],
    )
  })

  it('is nothing more where layers are packed while steps run', async function () {
    if (process.geteuid?.() !== 0 || availableParallelism() < 2) this.skip()
    copyFileSync('/bin/busybox', directory.file('context/busybox'))
    put({ Dockerfile: STEPS.join('\n'), file: 'text '.repeat(1 << 20) })
    const archive = ['-o', `type=oci,dest=${directory.file('image.tar')}`]
    const [plain, packed] = [await started('--no-cache'), await started('--no-cache', ...archive)]
    assert.equal(packed.threads, plain.threads)
    const blobs = directory.file('store/blobs/sha256')
    const starts = readdirSync(blobs).map((name) => readFileSync(`${blobs}/${name}`).readUInt16BE())
    // All four layers stay as they were packed.
    assert.equal(starts.filter((start) => start === 0x1f8b).length, 4)
  })

  it('is the thread of steps while a base is resolved, if a step is certain to run', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    await using registry = await MemoryRegistry.start()
    for (const [step, flag, threads] of [
      ['RUN true', '--no-cache', 1],
      ['RUN true', '--no-cache=false', 0],
      ['COPY file /', '--no-cache', 0],
    ] as const) {
      put({ Dockerfile: `FROM ${registry.host}/none\n${step}\n`, file: 'text' })
      const found = await startedBy(tsbuild, [flag])
      assert.equal(found.threads, threads, `${flag}: ${step}`)
    }
    assert.ok(registry.requests.length >= 3)
  })

  it('is nothing where files are few or known, and threads for many', async () => {
    put({ Dockerfile: 'FROM scratch\nCOPY file* /\n', file: 'text' })
    assert.deepEqual(await started(), { threads: 0, processes: [] })
    put(Object.fromEntries(Array.from({ length: 1600 }, (_, index) => [`file${index}`, 'x'])))
    // Digests of files that are younger than two seconds are not remembered.
    await setTimeout(2100)
    const { threads } = await started()
    assert.ok(threads > 0)
    assert.deepEqual(await started(), { threads: 0, processes: [] })
  })
})
