// SPDX-License-Identifier: MIT
//
// The words of a migration: how far it goes for a page, why it is done, where its targets come from, and what it counts.

// #region migrate-mode-imports
import type { Pfn } from '../lib/units.ts'
// #endregion migrate-mode-imports

// #region migrate-mode
/**
 * ASYNC never waits. SYNC_LIGHT waits for a lock, but not for I/O. SYNC waits for both and writes dirty pages back.
 * @kernel include/linux/migrate_mode.h enum migrate_mode v6.12
 */
export type MigrateMode = 'MIGRATE_ASYNC' | 'MIGRATE_SYNC_LIGHT' | 'MIGRATE_SYNC'

/** As traces say it, except that until 4.12 they say `cma` for contig_range. @kernel include/linux/migrate_mode.h enum migrate_reason v6.12 */
export type MigrateReason =
  'compaction' | 'memory_hotplug' | 'syscall_or_cpuset' | 'contig_range' | 'longterm_pin'

/** A free page with one reference that may take the contents of `src`; null when there is none. */
export type NewFolio = (src: Pfn) => Pfn | null

/** What a call of migrate_pages() adds to /proc/vmstat. @kernel mm/migrate.c struct migrate_pages_stats v6.12 */
export interface MigrateStats {
  nr_succeeded: number
  nr_failed_pages: number
}
// #endregion migrate-mode
