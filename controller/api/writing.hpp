// SPDX-License-Identifier: Apache-2.0
// create, replace, patch, apply and delete. Each looks at the newest state, decides, and hands the store a
// write in one go: on the store's own thread nothing comes between. Answers when the write is durable.
#pragma once

#include "controller/api/context.hpp"

namespace controller {

void create_object(const ApiContext& context, const ResourceRequest& resource, Respond respond);
void replace_object(const ApiContext& context, const ResourceRequest& resource, Respond respond);
void patch_object(const ApiContext& context, const ResourceRequest& resource, Respond respond);
void delete_object(const ApiContext& context, const ResourceRequest& resource, Respond respond);
// Everything that the selectors match.
void delete_collection(const ApiContext& context, const ResourceRequest& resource, Respond respond);

}  // namespace controller
