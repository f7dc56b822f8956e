import { homedir } from 'node:os'
import { join } from 'node:path'
import { type CredentialStore, dockerConfigCredentials } from '#registry-client'

type Environment = Readonly<Record<string, string | undefined>>

/** Docker's own credentials: config.json and its helpers, or what CI hands over in the environment. */
export function defaultCredentials(env: Environment): CredentialStore {
  const home = env.HOME || homedir()
  return dockerConfigCredentials({
    configDir: env.DOCKER_CONFIG || join(home, '.docker'),
    authConfig: env.DOCKER_AUTH_CONFIG,
    env,
  })
}
