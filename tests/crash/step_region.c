#include "play.h"
const struct scenario region_scenarios[] = { {0}};
