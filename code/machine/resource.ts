// SPDX-License-Identifier: MIT
//
// kernel/resource.c: who has which addresses, as a tree. A child lies within its parent, and siblings do not overlap.
//
//     iomem
//     ├── 40000000-bfffffff  System RAM
//     │   ├── 40210000-4185ffff  Kernel code
//     │   └── 78a00000-7fbfffff  reserved
//     └── c0000000-dfffffff  reserved
//
// Three ways in: request (there must be room), insert (those who lie within become children), reserve with split (fill
// what is still free). Ends are inclusive here and only here: a resource of one byte has start = end.

// #region resource-types
export interface Resource {
  readonly name: string
  start: number
  /** The last address, inclusive. */
  end: number
  readonly flags: number
  parent: Resource | null
  /** Sorted by start. */
  children: Resource[]
}

export const IORESOURCE_MEM = 0x200
export const IORESOURCE_SYSTEM_RAM = 0x0100_0200
export const IORESOURCE_BUSY = 0x8000_0000

/** A resource that is in no tree yet. */
export function makeResource(name: string, start: number, end: number, flags: number): Resource {
  return { name, start, end, flags, parent: null, children: [] }
}
// #endregion resource-types

// #region resource-request
/**
 * Puts `fresh` among the children of `root` if its addresses are free. Null, or whoever is in the way: the first sibling
 * that overlaps, or `root` itself when `fresh` does not lie within it or has no address.
 * @kernel kernel/resource.c request_resource_conflict() v6.12
 */
export function request_resource_conflict(root: Resource, fresh: Resource): Resource | null {
  if (fresh.end < fresh.start || fresh.start < root.start || fresh.end > root.end) return root
  const conflict = root.children.find((child) => child.end >= fresh.start && child.start <= fresh.end)
  if (conflict) return conflict
  adopt(root, [...root.children, fresh])
  return null
}

function adopt(parent: Resource, children: Resource[]): void {
  parent.children = children.sort((a, b) => a.start - b.start)
  for (const child of children) child.parent = parent
}
// #endregion resource-request

// #region resource-insert
/**
 * As a request, but goes down into a child that `fresh` lies within, and takes children that lie within `fresh` for its
 * own. Null, or a resource that overlaps only in part: then nothing is changed.
 * @kernel kernel/resource.c insert_resource_conflict() v6.12
 */
export function insert_resource_conflict(root: Resource, fresh: Resource): Resource | null {
  let parent = root
  let conflict = request_resource_conflict(parent, fresh)
  while (conflict && conflict !== parent && holds(conflict, fresh) && !sameRange(conflict, fresh)) {
    parent = conflict
    conflict = request_resource_conflict(parent, fresh)
  }
  if (!conflict || conflict === parent) return conflict
  const covered = parent.children.filter((child) => child.end >= fresh.start && child.start <= fresh.end)
  const stray = covered.find((child) => !holds(fresh, child))
  if (stray) return stray
  adopt(fresh, covered)
  adopt(parent, [...parent.children.filter((child) => !covered.includes(child)), fresh])
  return null
}
// #endregion resource-insert

// #region resource-holds
function holds(outer: Resource, inner: Resource): boolean {
  return outer.start <= inner.start && inner.end <= outer.end
}

function sameRange(a: Resource, b: Resource): boolean {
  return a.start === b.start && a.end === b.end
}
// #endregion resource-holds

// #region resource-reserve-split
/**
 * Fills what is free of `[start, end]` under `root` with children called `name`, around the children that are there.
 * @kernel kernel/resource.c reserve_region_with_split() v6.12
 */
export function reserve_region_with_split(root: Resource, start: number, end: number, name: string): void {
  const flags = IORESOURCE_MEM + IORESOURCE_BUSY
  let from = Math.max(start, root.start)
  const to = Math.min(end, root.end)
  const taken = root.children.filter((child) => child.end >= from && child.start <= to)
  for (const child of taken) {
    if (child.start > from) request_resource_conflict(root, makeResource(name, from, child.start - 1, flags))
    from = Math.max(from, child.end + 1)
  }
  if (from <= to) request_resource_conflict(root, makeResource(name, from, to, flags))
}
// #endregion resource-reserve-split

// #region resource-intersects
/**
 * How a range meets resources that are System RAM: not at all, only those, or those and others.
 * @kernel kernel/resource.c region_intersects() v6.12
 * @omits System RAM below the top level (CXL)
 */
export function ramInRange(
  iomem: Resource,
  start: number,
  size: number,
): 'disjoint' | 'intersects' | 'mixed' {
  const met = iomem.children.filter((child) => child.end >= start && child.start <= start + size - 1)
  const ram = met.filter(isSystemRam).length
  if (ram === 0) return 'disjoint'
  return ram === met.length ? 'intersects' : 'mixed'
}

function isSystemRam(resource: Resource): boolean {
  return (resource.flags & IORESOURCE_SYSTEM_RAM) === IORESOURCE_SYSTEM_RAM
}
// #endregion resource-intersects

// #region resource-show
const MAX_IORES_LEVEL = 5

/**
 * The tree as /proc/iomem prints it. A reader without CAP_SYS_ADMIN (`privileged` false) sees names but no addresses.
 * @kernel kernel/resource.c r_show() v6.12
 */
export function formatResources(root: Resource, privileged = true): string {
  const digits = root.end < 0x10000 ? 4 : 8
  const hex = (addr: number) => (privileged ? addr : 0).toString(16).padStart(digits, '0')
  const lines = (parent: Resource, depth: number): string[] =>
    parent.children.flatMap((child) => [
      `${'  '.repeat(Math.min(depth, MAX_IORES_LEVEL))}${hex(child.start)}-${hex(child.end)} : ${child.name}\n`,
      ...lines(child, depth + 1),
    ])
  return lines(root, 0).join('')
}
// #endregion resource-show
