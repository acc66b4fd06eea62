#include "play.h"
const struct scenario stream_scenarios[] = { { 0 } };
