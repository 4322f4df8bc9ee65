// SPDX-License-Identifier: MIT
//
// The scenario of `three-addresses`: a buffer, a byte of it, and where RAM begins for the bus of one of two devices.
//
//     buffer: 8          KiB
//     byte: 4660         from its start; may be dragged
//     bus: 0             MiB; RAM begins at 1024 for the processor
import { z } from 'zod'

export const AddressesScenario = z.strictObject({
  buffer: z.int().min(1).max(4096),
  byte: z.int().min(0),
  bus: z.int().min(0),
})
