/* What was learned, as it lies in the host's store and in the file of `camera-edge learn`.
 *
 * Privacy: what a sealed state holds of pictures is the empty scene alone, that is, the grey value that most samples of a
 * pixel agree on; where they do not agree the place is unknown and holds nothing. The rest are numbers about many: counts by
 * place, way and speed, the weights of two small nets, quantiles. The windows that the nets learn from are in the store
 * only between the passes of `learn`, which keeps it in memory, and are cut off the file. What stood still in front of a
 * live camera and was taken for scenery is kept only after an hour. */
#ifndef NORMALITY_STATE_H
#define NORMALITY_STATE_H

#include "bank.h"
#include "calibration.h"
#include "movement.h"
#include "net.h"
#include "perspective.h"
#include "scene.h"

enum { STATE_VERSION = 1 };
enum stage { LEARN_SCENE, LEARN_SIZES, LEARN_HABITS, MEASURE, READY };

typedef struct state_head {
    char magic[8];
    uint32_t version, bytes; /* of all that is kept, with this head */
    uint64_t checksum;       /* of all after this head */
    uint16_t width, height;  /* of the view */
    uint16_t stage, sealed;  /* sealed: nothing more is to be learned */
    uint32_t samples;        /* of the scene */
    uint32_t reserved[3];
} state_head;
_Static_assert(sizeof(state_head) == 48, "the head of a state has 48 bytes");

typedef struct learned {
    state_head head;
    uint64_t seed;
    int64_t learned_us; /* where it learns while it runs: for how long it has */
    perspective sizes;
    habits usual;
    net nets[FOLDS];
    calibration measured;
} learned;

/* What learning needs and nobody keeps. */
typedef struct lesson {
    bank banks[FOLDS];
    scene_modes modes[]; /* of each pixel */
} lesson;

typedef enum state_found { STATE_NONE, STATE_GOOD, STATE_ALIEN, STATE_OTHER_VERSION, STATE_DAMAGED } state_found;

/* Looks at the store: its head, its length, its checksum. */
state_found state_look(state_head *head);
void state_read(learned *l, scene *s);
/* The scene as it lies in the store. */
void state_read_scene(scene *s);
/* Only in a pass of `learn`. */
void state_read_lesson(lesson *l, extent e);
/* Without a lesson (NULL) what is written is all that is kept. */
void state_write(learned *l, const scene *s, const lesson *lesson);

#endif
