// SPDX-License-Identifier: MIT
//
// What every page loads: each concern is a file beside this one, and what is not needed before the reader asks for it is
// imported then.
import './copy_buttons.ts'
import './later.ts'
import './offline.ts'
import './on_request.ts'
import './place.ts'
import './progress.ts'
import './terms.ts'
import './widgets.ts'
