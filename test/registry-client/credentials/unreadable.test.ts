import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AnsweringProcess, LIMITED } from '../../support/rights/index.ts'
import { useDockerHome } from './docker-home.ts'

const CHILD = fileURLToPath(new URL('./limited.js', import.meta.url))

describe('credentials that a user may not read', () => {
  const home = useDockerHome()

  it('do not exist in a home folder, and are an error in a folder that is named', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    home.writeConfig({ auths: { host: { auth: Buffer.from('a:b').toString('base64') } } })
    chmodSync(home.directory, 0o700)
    using child = new AnsweringProcess(CHILD, LIMITED['an ordinary user'] ?? assert.fail())
    const configDir = home.directory
    assert.deepEqual(await child.ask({ configDir, isGuessed: true }), {})
    assert.deepEqual(await child.ask({ configDir }), { code: 'PERMISSION_DENIED' })
    chmodSync(home.directory, 0o755)
    const found = (await child.ask({ configDir, isGuessed: true })) as { readonly found?: object }
    assert.deepEqual(found.found, { kind: 'password', username: 'a', password: 'b' })
  })
})
