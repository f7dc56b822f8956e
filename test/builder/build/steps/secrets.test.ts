import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { BuildOptions } from '#builder'
import { openAgentSource, serveAgent } from '#ssh'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { type Built, namesOf, Workplace } from '../support/workplace.ts'

const FILE_SECRET = `f/+ &%?=ü"'\\${'<>'}-${process.pid}-of a file\nwith a second line`
const ENV_SECRET = `e/+ &%?=ü-${process.pid}-of a variable`

/** What a secret may look like elsewhere. */
function formsOf(secret: string): readonly Buffer[] {
  const bytes = Buffer.from(secret)
  const aligned = [0, 1, 2].flatMap((skip) => {
    const whole = bytes.subarray(skip, skip + Math.floor((bytes.length - skip) / 3) * 3)
    return [whole.toString('base64'), whole.toString('base64url')]
  })
  const hex = bytes.toString('hex')
  const json = JSON.stringify(secret).slice(1, -1)
  const texts = [...aligned, hex, hex.toUpperCase(), encodeURIComponent(secret), json]
  return [bytes, Buffer.from(secret, 'utf16le'), ...texts.map((text) => Buffer.from(text))]
}

const FORMS = [FILE_SECRET, ENV_SECRET].flatMap(formsOf)

/** Where a secret is in `bytes`, compressed ones opened. */
function hasSecret(bytes: Buffer): boolean {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
  return FORMS.some((form) => plain.includes(form))
}

/** Regular files below `directory` that have a secret in their name or content. */
function leaksIn(directory: string): readonly string[] {
  const names = readdirSync(directory, { recursive: true }).map(String)
  return names.filter((name) => {
    const path = join(directory, name)
    if (hasSecret(Buffer.from(name))) return true
    return (
      lstatSync(path, { throwIfNoEntry: false })?.isFile() === true && hasSecret(readFileSync(path))
    )
  })
}

/** Copies a program of this machine, with its libraries, into the context's folder `root`. */
function putProgram(at: Workplace, program: string): void {
  const listed = execFileSync('ldd', [program]).toString()
  const libraries = listed.match(/\/\S+(?= \(0x)/g) ?? []
  for (const path of [program, ...libraries]) {
    const name = `root/${path.split('/').at(-1)}`
    at.put({ [name]: readFileSync(path) })
    chmodSync(join(at.path('context'), name), 0o755)
  }
}

describe('build: secrets', () => {
  let at: Workplace
  let secrets: NonNullable<BuildOptions['secrets']>
  before(async () => {
    at = await Workplace.open()
    putShell(at)
    writeFileSync(at.path('secret'), FILE_SECRET)
    secrets = { file: { file: at.path('secret') }, ENV: { value: ENV_SECRET } }
  })
  after(() => at[Symbol.asyncDispose]())

  const build = (lines: readonly string[], options: Partial<BuildOptions> = {}): Promise<Built> =>
    at.build([...SHELL_BASE, 'FROM base', ...lines], { secrets, ...options })

  it('are files in memory, or variables', async () => {
    const built = await build([
      'WORKDIR /w',
      'RUN --mount=type=secret,id=file wc -c < /run/secrets/file; stat -c "%a %u:%g" /run/secrets/file',
      'RUN --mount=type=secret,id=file,target=k,uid=5,gid=6,mode=0440 stat -c "%a %u:%g" /w/k',
      'RUN --mount=type=secret,id=ENV,env,required echo "$ENV" | wc -c; ls /run/secrets 2>&1 || true',
      'RUN --mount=type=secret,id=ENV,env=V,target=/e [ "$V" = "$(cat /e)" ] && echo same',
      'RUN --mount=type=secret,source=file,target=/etc/passwd grep /etc/passwd /proc/mounts | cut -c 1-6',
      'RUN --mount=type=secret,id=none --mount=type=secret,id=other,env=O env | grep -c O=; ls -d /run 2>&1 || true',
    ])
    const size = Buffer.from(FILE_SECRET).length
    const output = outputOf(built)
    assert.ok(output.startsWith(`${size}\n400 0:0\n440 5:6\n`), output)
    assert.ok(output.includes(`\n${Buffer.from(ENV_SECRET).length + 1}\n`), output)
    assert.match(output, /\nsame\ntmpfs \n0\n/)
    assert.match(output, /ls: \/run\/secrets: No such.*ls: \/run: No such/s)
  })

  it('are nowhere while and after they are used', async () => {
    const seen: string[] = []
    const events: string[] = []
    const steps = [
      'RUN --mount=type=secret,id=file --mount=type=secret,id=ENV,env --mount=type=cache,target=/c echo ready; test -n "$ENV" -a -s /run/secrets/file && sleep 0.2',
      'RUN --mount=type=secret,id=file,target=/deep/in/here,env=F --mount=type=secret,id=ENV,target=/f test -s /deep/in/here',
    ]
    const built = await build(steps, {
      noCache: true,
      tags: ['secret:1'],
      outputs: [
        { type: 'store' },
        { type: 'oci', dest: at.path('out'), tar: false, compression: 'gzip' },
      ],
      onEvent: (event) => {
        events.push(JSON.stringify(event))
        if (event.type === 'log') seen.push(...leaksIn(at.path('store')), 'looked')
      },
    })
    assert.deepEqual([...new Set(seen)], ['looked'])
    assert.deepEqual(leaksIn(at.path('store')), [])
    assert.deepEqual(leaksIn(at.path('out')), [])
    assert.ok(!hasSecret(Buffer.from(`${events.join('\n')}${JSON.stringify(built)}`)))
    // The search itself finds what is there.
    at.put({ 'copied/file': FILE_SECRET })
    await build(['COPY copied /copied'], {
      outputs: [{ type: 'oci', dest: at.path('found'), tar: false, compression: 'gzip' }],
    })
    assert.equal(leaksIn(at.path('found')).length, 1)
  })

  it('are not shown when a step that has them fails', async () => {
    const step = 'RUN --mount=type=secret,id=file,env=F --mount=type=secret,id=ENV,env exit 3'
    const failure = await build([step]).then(
      () => assert.fail('it succeeded'),
      (error: Error) => error,
    )
    assert.ok(!hasSecret(Buffer.from(`${failure.stack}${JSON.stringify(failure)}`)))
    const nul = { ENV: { value: `${ENV_SECRET}\0` } }
    await assert.rejects(build([step], { secrets: { ...secrets, ...nul } }), (error: Error) => {
      return !hasSecret(Buffer.from(`${error.stack}${error.cause}`))
    })
  })

  it('change nothing in the key but by their names', async () => {
    const step = (id: string): readonly string[] => [`RUN --mount=type=secret,id=${id} echo ran`]
    assert.equal(outputOf(await build(step('file'))), 'ran\n')
    const other = { secrets: { file: { value: 'another' } } }
    assert.equal(outputOf(await build(step('file'), other)), '')
    assert.equal(outputOf(await build(step('file'), { secrets: {} })), '')
    assert.equal(outputOf(await build(step('renamed'))), 'ran\n')
  })

  it('are missed when they are required', async () => {
    const lines = ['RUN --mount=type=secret,id=nothing,required true']
    await assert.rejects(build(lines), { code: 'NOT_FOUND', message: 'secret nothing: not found' })
    const agent = ['RUN --mount=type=ssh,required true']
    const message = 'unset ssh forward key default'
    await assert.rejects(build(agent), { code: 'NOT_FOUND', message })
    assert.equal(outputOf(await build(['RUN --mount=type=ssh ls /run 2>&1 | wc -l'])), '1\n')
  })

  it('are checked before any work', async () => {
    const check = (given: NonNullable<BuildOptions['secrets']>) =>
      at.build('FROM 127.0.0.1:1/never/asked', { secrets: given })
    await assert.rejects(check({ x: { file: '/none' } }), {
      message: 'failed to stat /none: no such file or directory',
    })
    const message = 'secret x too big. max size 500KB'
    await assert.rejects(check({ x: { value: 'x'.repeat(500 * 1024 + 1) } }), { message })
    writeFileSync(at.path('big'), Buffer.alloc(500 * 1024 + 1))
    await assert.rejects(check({ x: { file: at.path('big') } }), { message })
    const ssh = { default: [at.path('big')] }
    await assert.rejects(at.build('FROM 127.0.0.1:1/never', { ssh }), { code: 'USAGE' })
  })

  it('are found when a step wants them, each once', async () => {
    const asked: string[] = []
    const findSecret = async (id: string): Promise<Uint8Array | undefined> => {
      asked.push(id)
      if (id === 'big') return Buffer.alloc(500 * 1024 + 1)
      return id === 'found' ? Buffer.from('of a client') : undefined
    }
    const step = 'RUN --mount=type=secret,id=found,required cat /run/secrets/found'
    const built = await build(
      [
        ...[`${step}; echo`, `${step} | tr a-z A-Z`],
        'RUN --mount=type=secret,id=absent --mount=type=secret,id=file,required ls /run/secrets',
      ],
      { findSecret },
    )
    assert.equal(outputOf(built), 'of a client\nOF A CLIENTfile\n')
    assert.deepEqual(asked.toSorted(), ['absent', 'found'])
    const big = ['RUN --mount=type=secret,id=big true']
    const message = 'secret big too big. max size 500KB'
    await assert.rejects(build(big, { findSecret }), { code: 'USAGE', message })
    const missed = ['RUN --mount=type=secret,id=absent,required true']
    await assert.rejects(build(missed, { findSecret }), { code: 'NOT_FOUND' })
  })

  it('may be agents that are found when a step wants them', async () => {
    putProgram(at, '/usr/bin/ssh-add')
    const key = at.path('found-key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'found', '-f', key])
    const open = await openAgentSource([key])
    const asked: string[] = []
    const built = await build(
      [
        'COPY root /root',
        'ENV LD_LIBRARY_PATH=/root',
        'RUN --mount=type=ssh,id=mine,required /root/ld-linux* /root/ssh-add -L',
        'RUN --mount=type=ssh,id=other ls /run 2>&1 | wc -l',
      ],
      {
        findAgent: async (id) => {
          asked.push(id)
          return id === 'mine' ? (connection) => void serveAgent(connection, open) : undefined
        },
      },
    )
    assert.equal(outputOf(built), `${readFileSync(`${key}.pub`, 'utf8')}1\n`)
    assert.deepEqual(asked.toSorted(), ['mine', 'other'])
  })

  it('may be keys that a step uses and never sees', async () => {
    putProgram(at, '/usr/bin/ssh-add')
    const key = at.path('key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'of the test', '-f', key])
    const libraries = 'ENV LD_LIBRARY_PATH=/root'
    const ssh = 'RUN --mount=type=ssh'
    const built = await build(
      [
        'COPY root /root',
        libraries,
        `${ssh} stat -c "%F %a %u:%g" $SSH_AUTH_SOCK; /root/ld-linux* /root/ssh-add -L`,
        `${ssh},target=/s,uid=1000,mode=0600 /root/ld-linux* /root/ssh-add -D; stat -c "%u" $SSH_AUTH_SOCK`,
        'USER 1000',
        `${ssh} /root/ld-linux* /root/ssh-add -L || echo refused`,
        `${ssh},uid=1000 echo "keys: $(/root/ld-linux* /root/ssh-add -l | wc -l)"`,
        'RUN ls /run /s || echo gone',
      ],
      { ssh: { default: [key] } },
    )
    const output = outputOf(built)
    const pub = readFileSync(`${key}.pub`, 'utf8')
    assert.ok(output.startsWith(`socket 600 0:0\n${pub}`), output)
    // Programs report on another stream than the shell, before or after it.
    assert.match(output, /Failed to remove all identities/)
    assert.match(output, /^1000$/m)
    assert.match(output, /^refused$/m)
    assert.match(output, /^keys: 1$/m)
    assert.match(output, /gone\n/)
    assert.deepEqual(namesOf(built.events, 'failed'), [])
  })
})
