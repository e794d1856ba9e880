// Copy buttons for pages outside the dashboard.

import { startControls } from "./controls.js";

startControls();
