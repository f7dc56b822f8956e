/** Pods of Kubernetes, as far as the recipes use them, and the containers of docker that are like them. */

/** Spec: Kubernetes API reference, Container v1 core */
interface PodContainer {
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value: string }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
  readonly securityContext?: SecurityContext
}

interface SecurityContext {
  readonly runAsUser?: number
  readonly allowPrivilegeEscalation?: boolean
  readonly seccompProfile?: { readonly type: 'Unconfined' | 'RuntimeDefault' }
  readonly appArmorProfile?: { readonly type: 'Unconfined' }
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
}

/** Spec: Kubernetes API reference, PodSpec v1 core */
export interface PodSpec {
  readonly securityContext?: SecurityContext
  readonly hostUsers?: boolean
  readonly containers: readonly [PodContainer]
}

/** A strategic merge of specs with one container, as `kubectl patch` does it. */
export function patchPod(spec: PodSpec, patch: PodSpec): PodSpec {
  const [container] = spec.containers
  const [changes] = patch.containers
  return { ...spec, ...patch, containers: [{ ...container, ...changes }] }
}

/**
 * Options, image and arguments with which `docker run` starts a container like the pod's.
 * @param folders what the pod's volumes are; an empty volume unless given
 */
export function podWords(
  spec: PodSpec,
  folders: Readonly<Record<string, string>>,
): readonly string[] {
  const [container] = spec.containers
  const { image, command = [], args = [], env = [], volumeMounts = [] } = container
  const [entrypoint, ...rest] = command
  const volumes = volumeMounts.map(({ name, mountPath }) => {
    const folder = folders[name]
    return folder === undefined ? mountPath : `${folder}:${mountPath}`
  })
  return [
    ...securityOptions({ ...spec.securityContext, ...container.securityContext }),
    ...volumes.flatMap((volume) => ['--volume', volume]),
    ...env.flatMap(({ name, value }) => ['--env', `${name}=${value}`]),
    ...(entrypoint === undefined ? [] : ['--entrypoint', entrypoint]),
    ...[image, ...rest, ...args],
  ]
}

/** Without a profile Kubernetes sets none, where docker has its own. */
function securityOptions(context: SecurityContext): readonly string[] {
  const { runAsUser, allowPrivilegeEscalation, seccompProfile, appArmorProfile } = context
  const { add = [], drop = [] } = context.capabilities ?? {}
  const isConfined = seccompProfile?.type === 'RuntimeDefault'
  return [
    ...(runAsUser === undefined ? [] : ['--user', `${runAsUser}`]),
    ...(isConfined ? [] : ['--security-opt=seccomp=unconfined']),
    ...(appArmorProfile === undefined ? [] : ['--security-opt=apparmor=unconfined']),
    ...(allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
    ...add.flatMap((name) => ['--cap-add', name]),
    ...drop.flatMap((name) => ['--cap-drop', name]),
  ]
}
