#pragma once

// Everything in optim: optimizers, clipping, learning-rate schedules, averages.

#include "optim/adam.h"
#include "optim/adamw.h"
#include "optim/average.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "optim/sgd.h"
