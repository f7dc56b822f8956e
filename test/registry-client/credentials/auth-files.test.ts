import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { useDockerHome } from './docker-home.ts'

const entry = (user: string) => ({ auth: Buffer.from(`${user}:secret`).toString('base64') })

describe('files of credentials', () => {
  const home = useDockerHome()

  function write(name: string, auths: object): string {
    const path = join(home.directory, name)
    writeFileSync(path, JSON.stringify({ auths }))
    return path
  }

  const userOf = async (store: ReturnType<typeof home.store>, host: string) => {
    const found = await store.get(host)
    return found?.kind === 'password' ? found.username : undefined
  }

  it('of podman are asked where docker’s has nothing, and are not written', async () => {
    home.writeConfig({ auths: { 'a.io': entry('docker') } })
    const runtime = write('runtime.json', { 'a.io': entry('podman'), 'b.io': entry('podman') })
    const config = write('config-2.json', { 'b.io': entry('old'), 'c.io': entry('old') })
    const store = home.store({ otherFiles: ['/nonexistent/auth.json', runtime, config] })
    assert.equal(await userOf(store, 'a.io'), 'docker')
    assert.equal(await userOf(store, 'b.io'), 'podman')
    assert.equal(await userOf(store, 'c.io'), 'old')
    assert.equal(await userOf(store, 'd.io'), undefined)
    const before = readFileSync(runtime, 'utf8')
    await store.set('b.io', { kind: 'password', username: 'new', password: 'secret' })
    assert.equal(readFileSync(runtime, 'utf8'), before)
    assert.equal(await userOf(store, 'b.io'), 'new')
  })

  it('that are named take the place of docker’s', async () => {
    home.writeConfig({ auths: { 'a.io': entry('docker') } })
    const file = write('mine.json', { 'b.io': entry('mine') })
    const store = home.store({ file })
    assert.equal(await userOf(store, 'a.io'), undefined)
    assert.equal(await userOf(store, 'b.io'), 'mine')
  })

  it('that are named and not there are an error, until something is written', async () => {
    const store = home.store({ file: join(home.directory, 'new.json') })
    await assert.rejects(store.get('a.io'), { code: 'CONFIG_INVALID' })
    await store.set('a.io', { kind: 'password', username: 'a', password: 'secret' })
    assert.equal(await userOf(store, 'a.io'), 'a')
  })
})
