import type { MountPropagation } from '#core'
import type { ContainerMount } from '#engine/model'

/** What is to be mounted into a container, before anything is made for it. */
export type PlannedMount = PlannedBind | PlannedVolume | PlannedTmpfs | PlannedImage | PlannedCopy

interface Planned {
  /** Absolute path in the container, without `..` and slashes at its end. */
  readonly destination: string
  readonly isReadonly: boolean
  /** As inspect shows it. */
  readonly mode: string
}

/** A file or directory of the host. */
export interface PlannedBind extends Planned {
  readonly kind: 'bind'
  readonly source: string
  readonly propagation: MountPropagation
  /** What is mounted below it is shown, too. */
  readonly isRecursive: boolean
  /** Whether that can be written to although the mount cannot; default: not where the kernel can prevent it. */
  readonly writableBelow?: 'always' | 'never'
  /** Where there is no such path, a directory is made. */
  readonly makesSource: boolean
}

/** A volume, which is made where there is none of that name. */
export interface PlannedVolume extends Planned {
  readonly kind: 'volume'
  /** `undefined`: a new one, with a random name. */
  readonly name: string | undefined
  readonly driver: string
  readonly options?: Readonly<Record<string, string>> | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** An empty volume gets what the image has there. */
  readonly isFilled: boolean
  /** The part of the volume that is shown. */
  readonly subpath?: string
}

/** An empty directory in memory. */
export interface PlannedTmpfs extends Planned {
  readonly kind: 'tmpfs'
  /** As `docker run --tmpfs` takes them. */
  readonly options: readonly string[]
  /** Inspect shows it among the mounts. */
  readonly isShown: boolean
}

/** The files of an image, which cannot be written to. */
export interface PlannedImage extends Planned {
  readonly kind: 'image'
  readonly image: string
  readonly subpath?: string
}

/** What another container has there. */
export interface PlannedCopy extends Planned {
  readonly kind: 'copy'
  readonly point: ContainerMount
}
