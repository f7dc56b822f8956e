import { join } from 'node:path'
import { configFolder, homeFolder } from '#disk'
import { type CredentialStore, dockerConfigCredentials, dockerProxies } from '#registry-client'

type Environment = Readonly<Record<string, string | undefined>>

/** What the environment does not say. */
export interface DefaultCredentials {
  /** A file in place of all others. */
  readonly authFile?: string | undefined
  readonly onWarning?: ((message: string) => void) | undefined
}

/**
 * Docker's own credentials: config.json and its helpers, or what CI hands over in the environment; podman's after
 * them. `$REGISTRY_AUTH_FILE` takes the place of all files.
 */
export function defaultCredentials(
  env: Environment,
  { authFile, onWarning }: DefaultCredentials = {},
): CredentialStore {
  const file = authFile ?? (env.REGISTRY_AUTH_FILE || undefined)
  return dockerConfigCredentials({
    configDir: dockerFolder(env),
    isGuessed: !env.DOCKER_CONFIG,
    file,
    otherFiles: file === undefined ? podmanFiles(env) : [],
    authConfig: authFile === undefined ? env.DOCKER_AUTH_CONFIG : undefined,
    onWarning,
    env,
  })
}

/**
 * The proxies of docker's config.json, as build arguments; those that are given come before them.
 * @throws {TsbuildError} CONFIG_INVALID
 */
export function proxyArguments(
  env: Environment,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const names = new Set(Object.keys(given).map((name) => name.toLowerCase()))
  const proxies = dockerProxies(join(dockerFolder(env), 'config.json'), {
    daemon: env.DOCKER_HOST,
    isGuessed: !env.DOCKER_CONFIG,
  })
  return Object.fromEntries(
    Object.entries(proxies).filter(([name]) => !names.has(name.toLowerCase())),
  )
}

function dockerFolder(env: Environment): string {
  return env.DOCKER_CONFIG || join(homeFolder(env), '.docker')
}

/** Spec: containers-auth.json(5) */
function podmanFiles(env: Environment): readonly string[] {
  const { XDG_RUNTIME_DIR } = env
  return [...(XDG_RUNTIME_DIR ? [XDG_RUNTIME_DIR] : []), configFolder(env)].map((folder) =>
    join(folder, 'containers', 'auth.json'),
  )
}
