// SPDX-License-Identifier: MIT
//
// Pages that are about to be pinned for long leave CMA areas first, the part of mm/gup.c that migrates: a pin of an hour
// in a range that a device may want at any time would be a hole in it.
//
//     pin_user_pages(FOLL_LONGTERM): pin → in a CMA block? → unpin all → migrateLongterm() → pin again, elsewhere
//
// Leaves out: huge pages, device memory, pages of ZONE_MOVABLE.

// #region migrate-longterm-imports
import { ENOMEM } from '../lib/errno.ts'
import type { Pfn } from '../lib/units.ts'
import { __GFP_NOWARN, GFP_USER } from './gfp.ts'
import { folio_isolate_lru } from './lru.ts'
import { alloc_migration_target, migrate_pages, putback_movable_pages } from './migrate.ts'
import { createPageList, list_add_tail } from './page_list.ts'
import type { Vm } from './vm.ts'
// #endregion migrate-longterm-imports

// #region migrate-longterm
/**
 * Moves pages out of CMA areas; the caller has dropped its pins. The targets are not movable, so no area has them.
 * 0, or -ENOMEM: one did not move (somebody else holds it, or there is no other page for it).
 * As migrate_longterm_unpinnable_folios() in mm/gup.c of 6.12, whose 0 is -EAGAIN: pin again.
 */
export function migrateLongterm(vm: Vm, pfns: readonly Pfn[]): number {
  const list = createPageList()
  for (const pfn of pfns) {
    if (folio_isolate_lru(vm, pfn) === 0) list_add_tail(vm.pgdat.map, pfn, list)
  }
  const target = (src: Pfn) => alloc_migration_target(vm, src, GFP_USER | __GFP_NOWARN)
  const left = migrate_pages(vm, list, target, 'MIGRATE_SYNC', 'longterm_pin')
  putback_movable_pages(vm, list)
  return left === 0 ? 0 : -ENOMEM
}
// #endregion migrate-longterm
