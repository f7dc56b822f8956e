import type { ExecVertex, FilesVertex } from '#builder/plan'

/** A copy that takes exactly what a step's mounts show: its content says whether that has changed. */
export function mountedFiles(vertex: ExecVertex): FilesVertex {
  const { id, name, range, sources, mounts } = vertex
  const actions = mounts.flatMap((mount, index) => {
    if (mount.kind !== 'bind' && mount.kind !== 'cache') return []
    const { source, path } = mount
    if (source === undefined || sources[source]?.vertex === undefined) return []
    return [
      {
        kind: 'copy' as const,
        source,
        paths: [path],
        destination: `/${index}`,
        exclude: [],
        parents: false,
        unpack: 'never' as const,
        wildcards: false,
      },
    ]
  })
  return { op: 'files', id, name, range, root: undefined, sources, actions, link: true }
}
