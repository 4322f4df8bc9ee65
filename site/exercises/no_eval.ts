// SPDX-License-Identifier: MIT
//
// zod makes itself faster by code that it writes, and to find out whether it may, it tries: the page's policy forbids that
// and reports it. Imported before any schema is made.
import { config } from 'zod'

config({ jitless: true })
