// Everything the pages do in the browser. Each widget finds its own elements, or does nothing.

import { startControls } from "./controls.js";
import { startDialogs } from "./dialogs.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startMessages } from "./messages.js";
import { startCharts } from "./metric-chart.js";
import { startPanels } from "./panels.js";
import { startRequests } from "./requests.js";
import { startSelection } from "./selection.js";
import { startTimes } from "./times.js";

startRequests();
startMessages();
startControls();
startDialogs();
startKeys();
startTimes();
startSelection();
startLive();
startCharts();
startPanels();
