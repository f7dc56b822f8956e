import { join } from 'node:path'
import { homeFolder } from '#disk'
import { type CredentialStore, dockerConfigCredentials } from '#registry-client'

type Environment = Readonly<Record<string, string | undefined>>

/** Docker's own credentials: config.json and its helpers, or what CI hands over in the environment. */
export function defaultCredentials(env: Environment): CredentialStore {
  return dockerConfigCredentials({
    configDir: env.DOCKER_CONFIG || join(homeFolder(env), '.docker'),
    isGuessed: !env.DOCKER_CONFIG,
    authConfig: env.DOCKER_AUTH_CONFIG,
    env,
  })
}
