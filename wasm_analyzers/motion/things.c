/* A thing that rests is told from someone who stands by what moves within it; which of the two pictures of a place holds the
 * thing, by the edges along its outline (Connell et al., ICME 2004; Tian et al., IEEE Trans. SMC C 41(5), 2011). */
#include "things.h"

enum {
    BESIDE = 3,         /* pixels around a thing in which another one disturbs */
    STEADY_PART = 10,   /* one part in so many of a thing at rest may move, at most */
    FIDGET = 5,         /* grey levels beyond DIFFERENT that a move within a thing brings */
    LIVELY_TICKS = 4,   /* so often, and more often than not: a person who stands */
    LIGHT_PART = 200,   /* one part in so many of what is empty that changes: so do things then */
    LIVELY = 33,        /* one part in so many that moves is life */
    PART_OF = 3,        /* one part in so many of their size lies between parts of one thing, at most */
    CONTOUR = 8,        /* pixels of outline that are enough to tell */
};
static const int64_t BRIEF_US = 1200000;   /* what went as soon as it came was no thing */
static const int64_t SURE_US = 1500000;    /* who only pauses has moved on */
static const int64_t COVERED_US = 2000000; /* a thing that is covered for so long is not reported meanwhile */
static const int64_t REPORTED_US = 20000000;
static const int64_t TOGETHER_US = 1500000; /* parts of one thing come to rest together */
static const float ABRUPT = 0.9f, STEEPER = 1.5f;
static const float LEAST_CONTRAST = 12; /* grey levels beyond DIFFERENT: less is a change of light */

typedef struct places {
    int32_t all, changed; /* those of a thing, and of them those that are not as they settled */
    int32_t restless;     /* that were not steady lately */
} places;

static places places_of(const still_layer *layer, int32_t n) {
    const still_thing *t = &layer->list[n];
    /* what was restless before it became a thing does not count */
    int64_t old = (layer->ticked_us - t->taken_us) / AGE_US;
    u8x16 young = splat16((uint8_t)(old < 1 ? 0 : old > RIPE ? RIPE - 1 : old - 1));
    int32_t shift = layer->halved;
    places own = {0};
    for (int32_t y = t->top >> shift; y < t->bottom >> shift; y++) {
        for (int32_t x = t->left >> shift & ~15; x < t->right >> shift; x += 16) {
            int32_t at = y * layer->e.pitch + x;
            u8x16 mine = (u8x16)(load16(layer->owner + at) == splat16((uint8_t)(n + 1)));
            own.all += __builtin_popcount(bits16(mine));
            own.changed += __builtin_popcount(bits16(mine & load16(layer->hits + at)));
            own.restless += __builtin_popcount(bits16(mine & at_most16(load16(layer->age + at), young) & at_most16(splat16(FIDGET), load16(layer->evidence + at))));
        }
    }
    return own;
}

/* Give up the things that are marked by an area of 0. */
static void drop_things(still_layer *layer) {
    uint8_t renamed[MAX_STILL + 1] = {0};
    int32_t kept = 0;
    for (int32_t i = 0; i < layer->count; i++) {
        if (!layer->list[i].area) continue;
        renamed[i + 1] = (uint8_t)(kept + 1);
        layer->list[kept++] = layer->list[i];
    }
    if (kept == layer->count) return;
    layer->count = kept;
    extent e = layer->e;
    for (int32_t y = 0; y < e.height; y++)
        for (int32_t x = 0; x < e.padded; x += 16) {
            uint8_t *owner = layer->owner + y * e.pitch + x;
            if (!any16(load16(owner))) continue;
            for (int32_t k = 0; k < 16; k++) owner[k] = owner[k] == LIVING ? LIVING : renamed[owner[k]];
        }
}

/* Whether something that reaches beyond the thing is on it or beside it. */
static int is_touched(const still_layer *layer, const still_thing *t) {
    int32_t shift = layer->halved;
    int32_t left = (t->left >> shift) - BESIDE, right = (t->right >> shift) + BESIDE;
    int32_t top = (t->top >> shift) - BESIDE, bottom = (t->bottom >> shift) + BESIDE;
    for (int32_t i = 0; i < layer->found.count; i++) {
        const region *r = &layer->found.list[i];
        if (r->left >= right || r->right <= left || r->top >= bottom || r->bottom <= top) continue;
        if (r->left < left || r->right > right || r->top < top || r->bottom > bottom) return 1;
    }
    return 0;
}

int still_lives(const still_thing *t) { return t->living || (t->change != STILL_REMOVED && t->lively > 1 && t->lively > t->quiet); }

/* Whether places that belong to nothing change too: then it is the light. */
static int light_changes(const still_layer *layer) {
    extent e = layer->e;
    int32_t free = 0, changing = 0;
    for (int32_t y = 0; y < e.height; y++) {
#pragma clang loop unroll_count(2)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 taken = load16(layer->joined + at) | load16(layer->owner + at);
            u8x16 of_none = at_most16(taken, splat16(0)) & first16(e.width - x);
            free += __builtin_popcount(bits16(of_none));
            changing += __builtin_popcount(bits16(of_none & at_most16(load16(layer->age + at), splat16(0))));
        }
    }
    return LIGHT_PART * changing > free;
}

void things_follow(still_layer *layer, int64_t media_us) {
    int light = layer->count && light_changes(layer);
    for (int32_t i = 0; i < layer->count; i++) {
        still_thing *t = &layer->list[i];
        places own = places_of(layer, i);
        if (2 * own.changed < own.all) t->seen_us = media_us;
        if (!own.all) t->area = 0;
        if (4 * own.changed > own.all || light || is_touched(layer, t)) continue;
        if (layer->ticked_us > t->taken_us && LIVELY * own.restless > own.all)
            t->lively++;
        else
            t->quiet++;
        if (t->lively >= LIVELY_TICKS && still_lives(t)) t->living = 1;
    }
    drop_things(layer);
}

/* A thing ends at its outline at once, and light does not: the picture that holds the thing has there an edge as high as
 * the difference of the two pictures. */
static still_change change_of(const region *r) {
    if (r->contour < CONTOUR) return STILL_UNCLEAR;
    float now = (float)r->edge_now / (float)r->contour, then = (float)r->edge_usual / (float)r->contour;
    float apart = (float)r->strength / (float)r->area + DIFFERENT;
    if (now - then > ABRUPT * apart && now > STEEPER * then) return STILL_APPEARED;
    if (then - now > ABRUPT * apart && then > STEEPER * now) return STILL_REMOVED;
    return STILL_UNCLEAR;
}

typedef struct overlap {
    int32_t owned[MAX_STILL + 1]; /* places of the region by owner */
    int32_t living;
    int32_t as_before;            /* owned places that show again what they did before */
    int32_t all;
    int32_t age; /* of all places together, in AGE_US */
} overlap;

/* What a region takes over, where `scratch` holds its mask. */
static overlap overlap_of(const still_layer *layer, const region *r) {
    overlap over = {0};
    for (int32_t y = r->top; y < r->bottom; y++)
        for (int32_t x = r->left; x < r->right; x++) {
            int32_t at = y * layer->e.pitch + x;
            if (!layer->scratch[at]) continue;
            over.all++;
            over.age += layer->age[at];
            int32_t owner = layer->owner[at];
            over.living += owner == LIVING;
            if (owner != LIVING) over.owned[owner]++;
            int32_t apart = layer->image[at] - layer->before[at];
            over.as_before += layer->owner[at] && (apart < 0 ? -apart : apart) <= 2 * STEADY;
        }
    return over;
}

/* Who owns a place that is no thing: where someone stands, and moves on the spot. */
static uint8_t owner_of_none(const overlap *over) { return 2 * over->as_before > over->all ? 0 : LIVING; }

/* Whether the region only undoes what was there for a moment, or is someone who stands there. Things that lose most of
 * their places end. */
static int is_no_thing(still_layer *layer, const overlap *over) {
    int brief = 2 * over->as_before > over->all, living = over->living;
    for (int32_t i = 0; i < layer->count; i++) {
        still_thing *t = &layer->list[i];
        int32_t lost = over->owned[i + 1];
        if (!lost) continue;
        if (still_lives(t))
            living += lost;
        else if (t->seen_us - t->begun_us > BRIEF_US)
            brief = 0;
        if (2 * lost >= places_of(layer, i).all) t->area = 0;
    }
    return brief || 3 * living > over->all;
}

/* The region's mask is settled as it is now, and belongs to `owner`. */
static void settle(still_layer *layer, const region *r, uint8_t owner) {
    for (int32_t y = r->top; y < r->bottom; y++)
        for (int32_t x = r->left & ~15; x < r->right; x += 16) {
            int32_t at = y * layer->e.pitch + x;
            u8x16 take = load16(layer->scratch + at), settled = load16(layer->settled + at);
            /* where someone stands, what was there before is not what he looked like before he moved */
            u8x16 stands = (u8x16)(load16(layer->owner + at) == splat16(LIVING));
            u8x16 pass = owner == LIVING ? take & ~stands : take;
            store16(layer->before + at, choose16(pass, settled, load16(layer->before + at)));
            store16(layer->owner + at, choose16(take, splat16(owner), load16(layer->owner + at)));
            store16(layer->settled + at, choose16(take, load16(layer->image + at), settled));
        }
}

static still_thing thing_of(const still_layer *layer, const region *r, const overlap *over, int64_t media_us) {
    int32_t shift = layer->halved, age = over->age / over->all;
    return (still_thing){
        .id = -1,
        .left = r->left << shift,
        .top = r->top << shift,
        .right = r->right << shift,
        .bottom = r->bottom << shift,
        .area = r->area << 2 * shift,
        .contrast = (float)r->strength / (float)r->area,
        .change = change_of(r),
        .since_us = media_us - (age > RIPE ? age : RIPE) * (int64_t)AGE_US,
        .begun_us = media_us - RIPE * AGE_US,
        .taken_us = media_us,
        .seen_us = media_us,
        .wanted_us = media_us - TICK_US - 1,
    };
}

/* The thing that this one is a part of: changed in the same way, just before, and side by side. */
static int32_t whole_of(const still_layer *layer, const still_thing *part) {
    for (int32_t i = 0; i < layer->count; i++) {
        const still_thing *t = &layer->list[i];
        if (!t->area || t->change != part->change || part->taken_us - t->taken_us > TOGETHER_US) continue;
        int32_t apart_x = (t->left > part->left ? t->left : part->left) - (t->right < part->right ? t->right : part->right);
        int32_t apart_y = (t->top > part->top ? t->top : part->top) - (t->bottom < part->bottom ? t->bottom : part->bottom);
        int32_t w = t->right - t->left > part->right - part->left ? t->right - t->left : part->right - part->left;
        int32_t h = t->bottom - t->top > part->bottom - part->top ? t->bottom - t->top : part->bottom - part->top;
        /* beside one another in one direction, at the same place in the other */
        if ((apart_x < 0 && PART_OF * apart_y < h) || (apart_y < 0 && PART_OF * apart_x < w)) return i;
    }
    return -1;
}

static void add_part(still_thing *t, const still_thing *part) {
    if (part->left < t->left) t->left = part->left;
    if (part->top < t->top) t->top = part->top;
    if (part->right > t->right) t->right = part->right;
    if (part->bottom > t->bottom) t->bottom = part->bottom;
    float area = (float)t->area + (float)part->area;
    t->contrast = (t->contrast * (float)t->area + part->contrast * (float)part->area) / area;
    t->area += part->area;
    t->taken_us = part->taken_us;
}

static void take_region(still_layer *layer, int32_t n, int64_t media_us) {
    const region *r = &layer->found.list[n];
    regions_paint_one(&layer->found, layer->e, (hit_plane){layer->hits, layer->rows}, n, layer->scratch);
    overlap over = overlap_of(layer, r);
    int weak = (float)r->strength < LEAST_CONTRAST * (float)r->area;
    if (is_no_thing(layer, &over) || weak) {
        settle(layer, r, weak ? 0 : owner_of_none(&over));
        return;
    }
    still_thing thing = thing_of(layer, r, &over, media_us);
    int32_t whole = whole_of(layer, &thing);
    if (whole >= 0) {
        add_part(&layer->list[whole], &thing);
        settle(layer, r, (uint8_t)(whole + 1));
        return;
    }
    if (layer->count == MAX_STILL) {
        layer->list[0].area = 0;
        drop_things(layer);
    }
    layer->list[layer->count++] = thing;
    settle(layer, r, (uint8_t)layer->count);
}

void things_take(still_layer *layer, int64_t media_us) {
    if (layer->found.overflow) return;
    for (int32_t i = 0; i < layer->found.count; i++) {
        const region *r = &layer->found.list[i];
        if (STEADY_PART * r->unrest <= r->area && 2 * r->steady > r->area) take_region(layer, i, media_us);
    }
    drop_things(layer);
}

int still_reported(const still_thing *t, int64_t media_us) {
    if (still_lives(t) || media_us - t->begun_us < SURE_US || media_us - t->seen_us > COVERED_US) return 0;
    int32_t lasts = t->change != STILL_UNCLEAR && media_us - t->since_us <= REPORTED_US;
    return lasts || media_us - t->wanted_us <= TICK_US;
}
