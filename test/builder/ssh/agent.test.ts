import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { openAgentSource, serveAgent } from '#ssh'
import {
  capture,
  type Outcome,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'

/** Files by their name: how ssh-keygen makes them. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  ed25519: ['-t', 'ed25519'],
  rsa: ['-t', 'rsa', '-b', '2048'],
  'rsa-pem': ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
  ecdsa256: ['-t', 'ecdsa', '-b', '256'],
  ecdsa384: ['-t', 'ecdsa', '-b', '384', '-m', 'PKCS8'],
  ecdsa521: ['-t', 'ecdsa', '-b', '521'],
}

describe('ssh agent', () => {
  let directory: TemporaryDirectory
  const servers: Server[] = []

  before(async () => {
    directory = temporaryDirectory('ssh')
    for (const [name, args] of Object.entries(KEYS)) await generate(name, args)
    await serve(
      'keys',
      Object.keys(KEYS).map((name) => directory.file(name)),
    )
    await serve('forwarded', [directory.file('keys')])
  })
  after(() => {
    for (const server of servers) server.close()
    directory[Symbol.dispose]()
  })

  function generate(name: string, args: readonly string[], passphrase = ''): Promise<unknown> {
    const common = ['-q', '-N', passphrase, '-C', `${name}@test`, '-f', directory.file(name)]
    return run('ssh-keygen', [...args, ...common])
  }

  async function serve(name: string, paths: readonly string[]): Promise<void> {
    const open = await openAgentSource(paths)
    const server = createServer((client) => void serveAgent(client, open))
    servers.push(server)
    await new Promise<void>((done) => server.listen(directory.file(name), done))
  }

  function asking(socket: string, command: string, args: readonly string[]): Promise<Outcome> {
    return capture(command, args, { env: { SSH_AUTH_SOCK: directory.file(socket) } })
  }

  function publicKeys(names: readonly string[]): readonly string[] {
    return names.map((name) => {
      const [type, key] = readFileSync(directory.file(`${name}.pub`), 'utf8').split(' ')
      return `${type} ${key}`
    })
  }

  for (const socket of ['keys', 'forwarded']) {
    it(`lists its keys: ${socket}`, async () => {
      const { stdout } = await asking(socket, 'ssh-add', ['-L'])
      const listed = stdout.trim().split('\n')
      const names = Object.keys(KEYS)
      assert.deepEqual(
        listed.map((line) => line.split(' ', 2).join(' ')),
        publicKeys(names),
      )
      assert.match(listed[0] ?? '', / ed25519@test$/)
    })

    it(`makes signatures that OpenSSH verifies: ${socket}`, async () => {
      for (const name of Object.keys(KEYS)) {
        const text = directory.file(`${socket}-${name}.txt`)
        writeFileSync(text, `signed by ${name}`)
        // Without the private key beside it.
        const key = directory.file(`${name}-alone.pub`)
        copyFileSync(directory.file(`${name}.pub`), key)
        const signed = await asking(socket, 'ssh-keygen', [
          '-Y',
          'sign',
          '-n',
          't',
          '-f',
          key,
          text,
        ])
        assert.equal(signed.status, 0, signed.stderr)
        const signers = directory.file('signers')
        writeFileSync(signers, `me ${publicKeys([name])}\n`)
        const args = ['-Y', 'verify', '-n', 't', '-I', 'me', '-f', signers, '-s', `${text}.sig`]
        const verified = await capture('ssh-keygen', args, { input: `signed by ${name}` })
        assert.equal(verified.status, 0, verified.stdout + verified.stderr)
      }
    })

    it(`cannot be changed: ${socket}`, async () => {
      await generate(`new-${socket}`, ['-t', 'ed25519'])
      for (const args of [[directory.file(`new-${socket}`)], ['-D'], ['-x']]) {
        const outcome = await asking(socket, 'ssh-add', args)
        assert.notEqual(outcome.status, 0, args.join(' '))
      }
      const { stdout } = await asking(socket, 'ssh-add', ['-l'])
      assert.equal(stdout.trim().split('\n').length, Object.keys(KEYS).length)
    })

    it(`closes the connection on malformed messages: ${socket}`, async () => {
      for (const bytes of [
        [0, 0, 0, 0],
        [255, 255, 255, 255],
        [0, 0, 0, 5, 13, 0, 0, 0, 99],
      ]) {
        const client = connect(directory.file(socket))
        client.write(Buffer.from(bytes))
        const reply = Buffer.concat(await client.toArray())
        assert.ok(reply.length === 0 || reply[4] === 5)
      }
    })
  }

  it('needs keys that it can read', async () => {
    await generate('locked', ['-t', 'ed25519'], 'passphrase')
    await generate('locked-pem', ['-t', 'rsa', '-b', '2048', '-m', 'PEM'], 'passphrase')
    writeFileSync(directory.file('text'), 'secret words')
    for (const [name, message] of [
      ['locked', /^failed to parse .*locked: this private key is passphrase protected$/],
      ['locked-pem', /this private key is passphrase protected$/],
      ['text', /^failed to parse .*text: it is not a private key$/],
      ['ed25519.pub', /it is not a private key$/],
      ['.', /it is not a private key: it is a folder$/],
      ['/dev/zero', /it is not a private key: it is a device$/],
      ['missing', /^failed to stat .*missing: no such file or directory$/],
    ] as const) {
      const path = name.startsWith('/') ? name : directory.file(name)
      await assert.rejects(openAgentSource([path]), { message })
    }
    const mixed = [directory.file('keys'), directory.file('rsa')]
    await assert.rejects(openAgentSource(mixed), {
      message: 'invalid combination of keys and sockets',
    })
  })

  it('waits while answers are not read, and sends all of them in the end', async () => {
    const requests = 20_000
    const open = await openAgentSource([directory.file('rsa')])
    const accepted = Promise.withResolvers<Socket>()
    const server = createServer((one) => {
      accepted.resolve(one)
      void serveAgent(one, open)
    })
    servers.push(server)
    await new Promise<void>((done) => server.listen(directory.file('flooded'), done))
    const client = connect(directory.file('flooded'))
    try {
      client.write(Buffer.alloc(requests * 5, Buffer.from([0, 0, 0, 1, 11])))
      const socket = await accepted.promise
      await new Promise((done) => setTimeout(done, 300))
      assert.ok(socket.writableLength > 0, 'it is not read')
      assert.ok(socket.writableLength < 1 << 20, `${socket.writableLength} bytes`)
      let size = 0
      let expected: number | undefined
      for await (const chunk of client as AsyncIterable<Buffer>) {
        expected ??= (chunk.readUInt32BE() + 4) * requests
        size += chunk.length
        if (size === expected) break
      }
      assert.equal(size, expected)
    } finally {
      client.destroy()
    }
  })

  it('closes the connection when the forwarded agent has ended', async () => {
    const open = await openAgentSource([directory.file('keys')])
    const orphaned = createServer((client) => void serveAgent(client, open))
    servers.push(orphaned)
    await new Promise<void>((done) => orphaned.listen(directory.file('orphaned'), done))
    await new Promise((done) => servers[0]?.close(done))
    assert.ok(!existsSync(directory.file('keys')))
    const outcome = await asking('orphaned', 'ssh-add', ['-l'])
    assert.notEqual(outcome.status, 0)
  })
})
