import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import {
  type CredentialStore,
  type DockerConfigOptions,
  dockerConfigCredentials,
} from '#registry-client'

/** A user's folder of docker, with a config.json and programs in `bin`; a new one for each test. */
class DockerHome {
  directory = ''

  open(): void {
    this.directory = mkdtempSync(join(tmpdir(), 'tsbuild-test-'))
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  get file(): string {
    return join(this.directory, 'config.json')
  }

  store(options: Partial<DockerConfigOptions> = {}): CredentialStore {
    const PATH = `${join(this.directory, 'bin')}${delimiter}${process.env.PATH}`
    return dockerConfigCredentials({ configDir: this.directory, env: { PATH }, ...options })
  }

  writeConfig(config: object): void {
    writeFileSync(this.file, JSON.stringify(config))
  }

  readConfig(): Record<string, unknown> {
    return JSON.parse(readFileSync(this.file, 'utf8'))
  }
}

/** A home for each test of the suite that calls this. */
export function useDockerHome(): DockerHome {
  const home = new DockerHome()
  beforeEach(() => home.open())
  afterEach(() => home.close())
  return home
}
